import { parseArgs } from "node:util";
import { FlyballError } from "../core/errors.ts";

/** What the collector process is told on its command line. */
export interface CollectorSettings {
  readonly intervalMs: number;
  /** Where the machine's files are: `/`, or where a host's are mounted. */
  readonly root: string;
  /** Where the page of metrics is offered; absent: nowhere. */
  readonly metrics?: ListenAddress;
  /** Containers are looked for on this engine; `""` is the one that is found on this machine. Absent: on none. */
  readonly dockerHost?: string;
  /** Where sockets of this user's own engine are; absent: nowhere. */
  readonly runtimeDirectory?: string;
  readonly labels: LabelSettings;
  /** A receiver that the page is sent to; absent: none. */
  readonly remoteWrite?: { readonly url: string; readonly token?: string };
}

/** Which labels of containers are shown, beside the business labels and those that boards need. */
export interface LabelSettings {
  /** Shown as `container_label_<key>`. */
  readonly allowed?: readonly string[];
  /** Key of a label → the name that it is shown under. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/** The receiver's address may hold a password: neither it nor the token is for a command line, which everybody may read. */
export const REMOTE_WRITE_URL = "FLYBALL_REMOTE_WRITE_URL";
export const REMOTE_WRITE_TOKEN = "FLYBALL_REMOTE_WRITE_TOKEN";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `child`: of a daemon, over its link. `agent`: alone, until it is told to stop. */
export type CollectorRun =
  | { readonly kind: "child"; readonly linkDirectory: string; readonly settings: CollectorSettings }
  | { readonly kind: "agent"; readonly settings: CollectorSettings };

const LEAST_INTERVAL_MS = 10;
const MOST_INTERVAL_MS = 3_600_000;

/**
 * `--link DIRECTORY | --agent`, then `--interval MILLISECONDS`, `--root DIRECTORY`, `--metrics HOST:PORT`,
 * `--docker-host HOST`, `--labels JSON`;
 * the receiver of remote write is in the environment. @throws FlyballError CONFIG_INVALID
 */
export function readArguments(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CollectorRun & { readonly cached: boolean } {
  const { values } = parseArgs({
    args: [...words],
    options: {
      link: { type: "string" },
      agent: { type: "boolean", default: false },
      interval: { type: "string", default: "1000" },
      root: { type: "string", default: "/" },
      metrics: { type: "string" },
      "docker-host": { type: "string" },
      labels: { type: "string", default: "{}" },
      cached: { type: "boolean", default: false },
    },
  });
  const intervalMs = Number(values.interval);
  if (!(intervalMs >= LEAST_INTERVAL_MS && intervalMs <= MOST_INTERVAL_MS)) {
    throw invalid(
      `--interval between ${LEAST_INTERVAL_MS} and ${MOST_INTERVAL_MS} milliseconds, got ${values.interval}`,
    );
  }
  const url = environment[REMOTE_WRITE_URL];
  const token = environment[REMOTE_WRITE_TOKEN];
  const runtimeDirectory = environment["XDG_RUNTIME_DIR"];
  const settings: CollectorSettings = {
    intervalMs,
    root: values.root,
    ...(values.metrics === undefined ? {} : { metrics: listenAddress(values.metrics) }),
    ...(values["docker-host"] === undefined ? {} : { dockerHost: values["docker-host"] }),
    ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
    // Written by the command or the daemon, which have checked what a person wrote.
    labels: JSON.parse(values.labels) as LabelSettings,
    ...(url === undefined ? {} : { remoteWrite: { url, ...(token === undefined ? {} : { token }) } }),
  };
  const { agent, link, cached } = values;
  if (agent === (link !== undefined)) throw invalid("either --link DIRECTORY or --agent");
  return link === undefined
    ? { kind: "agent", settings, cached }
    : { kind: "child", linkDirectory: link, settings, cached };
}

/** The words that `readArguments` reads as this. */
export function writeArguments(run: CollectorRun): string[] {
  const { intervalMs, root, metrics, dockerHost, labels } = run.settings;
  return [
    ...(run.kind === "agent" ? ["--agent"] : [`--link=${run.linkDirectory}`]),
    `--interval=${intervalMs}`,
    `--root=${root}`,
    `--labels=${JSON.stringify(labels)}`,
    ...(metrics === undefined ? [] : [`--metrics=${metrics.host}:${metrics.port}`]),
    ...(dockerHost === undefined ? [] : [`--docker-host=${dockerHost}`]),
  ];
}

function listenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/u, "$1");
  const port = Number(text.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid(`--metrics as HOST:PORT, got ${text}`);
  }
  return { host, port };
}

function invalid(expected: string): FlyballError {
  return new FlyballError("CONFIG_INVALID", `expected ${expected}`);
}
