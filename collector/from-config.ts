import type { Config } from "../core/config.ts";
import type { EngineKind } from "../core/types.ts";
import type { CollectorSettings, ListenAddress } from "./settings.ts";

const DEFAULT_DOCKER_HOST = "unix:///var/run/docker.sock";

/** What the collector is told of the settings. */
export function collectorSettings(
  { dockerHost, metricsListen, metricsLabels, metricsContainerLabels, remoteWrite }: Config,
  engine: EngineKind,
): Omit<CollectorSettings, "intervalMs" | "root"> {
  return {
    labels: {
      ...(metricsLabels === undefined ? {} : { renamed: metricsLabels }),
      ...(metricsContainerLabels === undefined ? {} : { allowed: metricsContainerLabels }),
    },
    ...(metricsListen === undefined ? {} : { metrics: metricsListen }),
    ...(engine === "docker" ? { dockerHost: dockerHost ?? DEFAULT_DOCKER_HOST } : {}),
    ...(remoteWrite === undefined ? {} : { remoteWrite }),
  };
}

export interface AgentOptions {
  readonly config: Config;
  readonly intervalMs: number;
  readonly listen: ListenAddress;
}

/** The same of a collector that runs alone. `runtimeDirectory`: where this user's own engine would be. */
export function agentSettings(
  { config, intervalMs, listen }: AgentOptions,
  runtimeDirectory: string | undefined,
): CollectorSettings {
  return {
    ...collectorSettings(config, "docker"),
    intervalMs,
    root: "/",
    metrics: listen,
    // Without one named, any engine of this machine will do.
    dockerHost: config.dockerHost ?? "",
    ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
  };
}
