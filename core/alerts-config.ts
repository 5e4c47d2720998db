import { z } from "zod";
import type { AlertRequest, NoData, Severity } from "./alert.ts";
import { readAlertTable } from "./alert-labels.ts";
import { ALERT_RULES, isAlertRule } from "./alert-rules.ts";
import { type Matcher, parseMatcher } from "./matcher.ts";
import { nearest } from "./nearest.ts";
import { HOUR_MS, parseDurationMs, SECOND_MS } from "./units.ts";

const LONGEST_MS = 7 * 24 * HOUR_MS;
const MOST_CHANNELS = 20;

const duration = z.string().transform((text, context) => {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && durationMs <= LONGEST_MS) return durationMs;
  context.addIssue({ code: "custom", message: 'expected a duration of a week at most, as "30s" or "4h"' });
  return z.NEVER;
});
const httpUrl = z
  .url({ protocol: /^https?$/u, error: "expected an http or https URL" })
  .refine((text) => URL.parse(text)?.username === "", "expected a URL without a user");
const severity = z.enum(["critical", "warning", "info"]);
/** One address, perhaps with a name before it; never a second one, and no other header. */
const address = z
  .string()
  .max(320)
  .regex(
    /^(?:[^<>@,;\r\n"]*<[^<>@,;\s]+@[^<>@,;\s]+>|[^<>@,;\s]+@[^<>@,;\s]+)$/u,
    'expected an address, as "Ops <ops@example.org>"',
  );
const matchers = z.array(
  z.string().transform((text, context): Matcher => {
    const matcher = parseMatcher(text);
    if (typeof matcher !== "string") return matcher;
    context.addIssue({ code: "custom", message: matcher });
    return z.NEVER;
  }),
);
/** The file wins over what stands in the configuration: a secret is better off there. */
const secret = { url: httpUrl.optional(), urlFile: z.string().min(1).optional() };

const email = z.strictObject({
  kind: z.literal("email"),
  match: matchers.optional(),
  host: z.string().regex(/^[^\s/@]+$/u, "expected a host name"),
  port: z.int().min(1).max(65_535).optional(),
  tls: z.enum(["implicit", "starttls", "opportunistic", "none"]).optional(),
  user: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  passwordFile: z.string().min(1).optional(),
  from: address,
  to: z.union([address.transform((one) => [one]), z.array(address).min(1).max(50)]),
});
const slack = z.strictObject({ kind: z.literal("slack"), match: matchers.optional(), ...secret });
const webhook = z.strictObject({
  kind: z.literal("webhook"),
  match: matchers.optional(),
  ...secret,
  token: z.string().min(1).optional(),
  tokenFile: z.string().min(1).optional(),
});
const channel = z
  .discriminatedUnion("kind", [email, slack, webhook], {
    error: 'expected a channel of kind "email", "slack" or "webhook"',
  })
  .refine(
    (one) => one.kind === "email" || (one.url === undefined) !== (one.urlFile === undefined),
    "expected url or urlFile, and one of them only",
  )
  .refine((one) => one.kind !== "email" || one.password === undefined || one.passwordFile === undefined, {
    path: ["passwordFile"],
    error: "excludes password: keep one",
  });

const change = z.strictObject({
  severity: severity.optional(),
  for: duration.optional(),
  keep: duration.optional(),
  noData: z.enum(["keeps", "fires", "resolves"]).optional(),
});

/** What the configuration says of alerts. */
export const alertsSchema = z.strictObject({
  /** Where people reach the API and the console, for links. */
  externalUrl: httpUrl.optional(),
  groupBy: z.array(z.string().regex(/^[a-zA-Z_]\w*$/u, "expected a label's name")).optional(),
  groupInterval: duration.optional(),
  repeatInterval: duration.optional(),
  /** Thresholds for services that say nothing of that signal themselves: `cpu: "> 95% for 5m"`. */
  services: z.record(z.string(), z.string()).optional(),
  /** Name of a rule → off, or what is otherwise than built in. */
  rules: z.record(z.string(), z.union([z.literal(["off", false]), change])).optional(),
  channels: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/u, "expected a name of lower-case letters, digits, _ and -"),
      channel,
    )
    .refine((all) => Object.keys(all).length <= MOST_CHANNELS, `expected ${MOST_CHANNELS} channels at most`)
    .refine((all) => !Object.hasOwn(all, "websocket"), "expected another name: websocket is the stream's own")
    .optional(),
});
export type AlertsSettings = z.infer<typeof alertsSchema>;

/** With every default filled in. */
export interface AlertsConfig {
  readonly externalUrl?: string;
  readonly groupBy: readonly string[];
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly services: readonly AlertRequest[];
  readonly rules: Readonly<Record<string, RuleChange | "off">>;
  readonly channels: readonly ChannelConfig[];
}

export interface RuleChange {
  readonly severity?: Severity;
  readonly forMs?: number;
  readonly keepFiringForMs?: number;
  readonly noData?: NoData;
}

type Settings<Channel> = Omit<Channel, "match"> & {
  readonly name: string;
  readonly matchers: readonly Matcher[];
};
export type EmailConfig = Settings<z.infer<typeof email>>;
export type SlackConfig = Settings<z.infer<typeof slack>>;
export type WebhookConfig = Settings<z.infer<typeof webhook>>;
export type ChannelConfig = EmailConfig | SlackConfig | WebhookConfig;

const NO_DATA = { keeps: "keep", fires: "fire", resolves: "resolve" } as const;

export const DEFAULT_ALERTS: AlertsConfig = alertsConfig({}).config;

/** @returns the settings with their defaults, and what of them cannot be used */
export function alertsConfig(settings: AlertsSettings): {
  readonly config: AlertsConfig;
  readonly problems: readonly { readonly key: string; readonly message: string }[];
} {
  const { requests, problems } = readAlertTable(settings.services ?? {});
  const unknown = Object.keys(settings.rules ?? {}).filter((name) => !isAlertRule(name));
  const config: AlertsConfig = {
    ...(settings.externalUrl === undefined ? {} : { externalUrl: settings.externalUrl.replace(/\/+$/u, "") }),
    groupBy: settings.groupBy ?? ["alertname", "project"],
    groupIntervalMs: settings.groupInterval ?? 30 * SECOND_MS,
    repeatIntervalMs: settings.repeatInterval ?? 4 * HOUR_MS,
    services: requests,
    rules: Object.fromEntries(
      Object.entries(settings.rules ?? {}).map(([name, rule]) => [name, changeOf(rule)] as const),
    ),
    channels: Object.entries(settings.channels ?? {}).map(([name, { match, ...one }]) => ({
      ...one,
      name,
      matchers: match ?? [],
    })),
  };
  return {
    config,
    problems: [
      ...problems.map(({ key, message }) => ({ key: `services.${key}`, message })),
      ...unknown.map((name) => ({ key: `rules.${name}`, message: `is not a rule${didYouMean(name)}` })),
    ],
  };
}

function didYouMean(name: string): string {
  const meant = nearest(name, ALERT_RULES);
  return meant === undefined ? "" : `: did you mean ${meant}?`;
}

function changeOf(rule: z.infer<typeof change> | "off" | false): RuleChange | "off" {
  if (rule === "off" || rule === false) return "off";
  return {
    ...(rule.severity === undefined ? {} : { severity: rule.severity }),
    ...(rule.for === undefined ? {} : { forMs: rule.for }),
    ...(rule.keep === undefined ? {} : { keepFiringForMs: rule.keep }),
    ...(rule.noData === undefined ? {} : { noData: NO_DATA[rule.noData] }),
  };
}
