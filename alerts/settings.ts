import type { AlertRequest } from "../core/alert.ts";
import type { AlertsConfig, ChannelConfig } from "../core/alerts-config.ts";
import type { Route } from "./grouping.ts";
import type { AlertRule } from "./rule.ts";
import { BUILT_IN } from "./rules/built-in.ts";
import { thresholdRules } from "./rules/thresholds.ts";

/** The channel of whoever looks: it keeps nothing, and is told at once. */
export const WEBSOCKET = "websocket";

/** The rules as the configuration has them. */
export function rulesOf({ rules, services }: AlertsConfig): readonly AlertRule[] {
  const requests: readonly AlertRequest[] = services;
  return [...BUILT_IN, ...thresholdRules(requests)].flatMap((rule) => {
    const change = rules[rule.name];
    return change === "off" ? [] : [{ ...rule, ...change }];
  });
}

/** Who is told of what: each channel, and whoever looks. */
export function routesOf(config: AlertsConfig): readonly Route[] {
  const { groupBy, groupIntervalMs, repeatIntervalMs } = config;
  const routeOf = ({ name, matchers }: ChannelConfig): Route => ({
    channel: name,
    matchers,
    groupBy,
    groupIntervalMs,
    repeatIntervalMs,
  });
  const looking: Route = {
    channel: WEBSOCKET,
    matchers: [],
    groupBy,
    groupIntervalMs: 0,
    repeatIntervalMs: Number.MAX_SAFE_INTEGER,
  };
  return [...config.channels.map(routeOf), looking];
}
