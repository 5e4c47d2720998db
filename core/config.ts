import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { Diagnostics } from "./diagnostics.ts";
import { FlyballError, messageOf } from "./errors.ts";
import { LOG_LEVELS } from "./log.ts";
import { nearest } from "./nearest.ts";

const HIGHEST_PORT = 65_535;
const LISTEN = /^(?:\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/;
const listenAddress = z
  .string()
  .refine(
    (text) => LISTEN.test(text) && parseListen(text).port <= HIGHEST_PORT,
    'expected host:port, as "127.0.0.1:7070"',
  );

const metricsAddress = z
  .string()
  .refine(
    (text) => LISTEN.test(everywhere(text)) && parseListen(everywhere(text)).port <= HIGHEST_PORT,
    'expected host:port, as "127.0.0.1:9417", or :port',
  );
const METRIC_LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC_LABEL_EXPECTED =
  "expected a Prometheus label name (letters, digits and _, not starting with a digit or __)";

/** Where the collector's metrics are sent to, for who has no scraper. */
const remoteWrite = z.strictObject({
  /** A Prometheus remote-write receiver: `https://metrics.example/api/v1/write`. */
  url: z.url({ protocol: /^https?$/, error: "expected an http or https URL" }).optional(),
  /** Bearer token of the receiver. */
  token: z.string().min(1).optional(),
});

const schema = z.strictObject({
  /** Where the daemon keeps what an engine cannot. */
  dataDirectory: z.string().min(1).optional(),
  /** Where the API listens. */
  listen: listenAddress.optional(),
  /** Bearer token of the API; without one it serves loopback only. */
  token: z.string().min(16, "expected at least 16 characters").optional(),
  engine: z.enum(["auto", "docker", "process"]).optional(),
  /** As `DOCKER_HOST`. */
  dockerHost: z.string().min(1).optional(),
  logLevel: z.enum(LOG_LEVELS).optional(),
  remoteWrite: remoteWrite.optional(),
  /** Where the collector offers its metrics; without a host, to every machine that reaches this one. */
  metricsListen: metricsAddress.optional(),
  /** Key of a container's label → the Prometheus label that it becomes. */
  metricsLabels: z
    .record(z.string().min(1), z.string().regex(METRIC_LABEL, METRIC_LABEL_EXPECTED))
    .optional(),
  /** Keys of further labels of containers that become `container_label_<key>`. */
  metricsContainerLabels: z.array(z.string().min(1)).optional(),
});

/** What a person can set: in the config file, by `FLYBALL_…` variables, or by flags; the later wins. */
export type Settings = { [Key in keyof z.infer<typeof schema>]?: z.infer<typeof schema>[Key] | undefined };

/** The settings with every default filled in. */
export interface Config {
  readonly dataDirectory: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly token?: string;
  readonly engine: "auto" | "docker" | "process";
  readonly dockerHost?: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly remoteWrite?: RemoteWriteConfig;
  readonly metricsListen?: Config["listen"];
  readonly metricsLabels?: Readonly<Record<string, string>>;
  readonly metricsContainerLabels?: readonly string[];
}

export interface RemoteWriteConfig {
  readonly url: string;
  readonly token?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLES = {
  dataDirectory: "FLYBALL_DATA_DIR",
  listen: "FLYBALL_LISTEN",
  token: "FLYBALL_TOKEN",
  engine: "FLYBALL_ENGINE",
  dockerHost: "DOCKER_HOST",
  logLevel: "FLYBALL_LOG_LEVEL",
  metricsListen: "FLYBALL_METRICS_LISTEN",
  "remoteWrite.url": "FLYBALL_REMOTE_WRITE_URL",
  "remoteWrite.token": "FLYBALL_REMOTE_WRITE_TOKEN",
} as const satisfies Record<
  | Exclude<keyof z.infer<typeof schema>, "remoteWrite" | "metricsLabels" | "metricsContainerLabels">
  | `remoteWrite.${keyof z.infer<typeof remoteWrite>}`,
  string
>;

/** Where a setting came from, in place of a file. */
const ENVIRONMENT = "environment";
const SYSTEM_CONFIG_FILE = "/etc/flyball/flyball.yaml";
export const DEFAULT_LISTEN = "127.0.0.1:7070";

/**
 * Reads the config file (`file`, else `FLYBALL_CONFIG`, else the system's if there is one), the environment and the
 * flags. @throws FlyballError CONFIG_INVALID that lists every problem
 */
export function loadConfig(flags: Settings, environment: Environment, file?: string): Config {
  const diagnostics = new Diagnostics();
  const named = file ?? (environment["FLYBALL_CONFIG"] || undefined);
  const path = named ?? (existsSync(SYSTEM_CONFIG_FILE) ? SYSTEM_CONFIG_FILE : undefined);
  const fromFile = path === undefined ? {} : check(readYaml(path), path, diagnostics);
  const fromEnvironment = check(settingsOf(environment), ENVIRONMENT, diagnostics);
  const fromFlags = check(withoutUndefined(flags), "flags", diagnostics);
  const { url, token } = { ...fromFile.remoteWrite, ...fromEnvironment.remoteWrite };
  if (token !== undefined && url === undefined) {
    diagnostics.error({ path: "remoteWrite.token" }, "is of no use without remoteWrite.url");
  }
  diagnostics.throwIfErrors("CONFIG_INVALID", "the configuration cannot be used");

  const settings = { ...fromFile, ...fromEnvironment, ...fromFlags };
  return {
    dataDirectory: resolve(settings.dataDirectory ?? defaultDataDirectory(environment)),
    listen: parseListen(settings.listen ?? DEFAULT_LISTEN),
    engine: settings.engine ?? "auto",
    logLevel: settings.logLevel ?? "info",
    ...(settings.token === undefined ? {} : { token: settings.token }),
    ...(settings.dockerHost === undefined ? {} : { dockerHost: settings.dockerHost }),
    ...(settings.metricsListen === undefined
      ? {}
      : { metricsListen: parseListen(everywhere(settings.metricsListen)) }),
    ...(settings.metricsLabels === undefined ? {} : { metricsLabels: settings.metricsLabels }),
    ...(settings.metricsContainerLabels === undefined
      ? {}
      : { metricsContainerLabels: settings.metricsContainerLabels }),
    ...(url === undefined ? {} : { remoteWrite: { url, ...(token === undefined ? {} : { token }) } }),
  };
}

/** `/var/lib/flyball` for root, else below the user's state directory. */
function defaultDataDirectory(environment: Environment): string {
  if (process.getuid?.() === 0) return "/var/lib/flyball";
  return join(environment["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "flyball");
}

/** `:9417` is how every exporter says that it listens on all addresses. */
function everywhere(text: string): string {
  return text.startsWith(":") ? `0.0.0.0${text}` : text;
}

function parseListen(text: string): Config["listen"] {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(text.slice(colon + 1)) };
}

function readYaml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `the config file ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    const document = parseDocument(text, { prettyErrors: true });
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `the config file ${path} is not YAML: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function check(value: unknown, source: string, diagnostics: Diagnostics): z.infer<typeof schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === "unrecognized_keys") {
      const isRemoteWrite = issue.path[0] === "remoteWrite";
      for (const key of issue.keys) {
        const meant = nearest(key, Object.keys((isRemoteWrite ? remoteWrite : schema).shape));
        const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
        const path = [...issue.path, key].join(".");
        diagnostics.error({ path, file: source }, `is not a setting${hint}`);
      }
    } else {
      const key = issue.path.join(".");
      const path = source === ENVIRONMENT && isSetting(key) ? VARIABLES[key] : key;
      diagnostics.error({ path, file: source }, `${issue.message}${whatCame(value, key)}`);
    }
  }
  return {};
}

function isSetting(key: string): key is keyof typeof VARIABLES {
  return Object.hasOwn(VARIABLES, key);
}

/** A token is never shown, not even one that cannot be used. */
function whatCame(value: unknown, key: string): string {
  if (key === "token" || typeof value !== "object" || value === null) return "";
  const came: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return came === undefined ? "" : `, got ${JSON.stringify(came)}`;
}

function settingsOf(environment: Environment): Settings {
  const settings: Record<string, unknown> = {};
  const remote: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries(VARIABLES)) {
    const value = environment[variable] || undefined;
    if (value === undefined) continue;
    const [first, second] = key.split(".");
    if (second === undefined) settings[key] = value;
    else if (first === "remoteWrite") remote[second] = value;
  }
  return Object.keys(remote).length === 0 ? settings : { ...settings, remoteWrite: remote };
}

function withoutUndefined(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
