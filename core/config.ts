import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { type AlertsConfig, alertsConfig, alertsSchema } from "./alerts-config.ts";
import { Diagnostics } from "./diagnostics.ts";
import { FlyballError, messageOf } from "./errors.ts";
import { checkScalingDefaults } from "./labels.ts";
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

/** The server that rules on queries ask. */
const prometheus = z.strictObject({
  /** With the path below which its API is, if it has one. */
  url: z
    .url({ protocol: /^https?$/, error: "expected an http or https URL" })
    .refine(isPlainUrl, "expected a URL without a user, a query or a fragment")
    .optional(),
  /** Bearer token, or the file that holds it. */
  token: z.string().min(1).optional(),
  tokenFile: z.string().min(1).optional(),
  /** Basic authentication, with the password or the file that holds it. */
  username: z
    .string()
    .regex(/^[^:]+$/, "expected a name without a colon")
    .optional(),
  password: z.string().min(1).optional(),
  passwordFile: z.string().min(1).optional(),
});

const scaler = z.strictObject({
  /** What a service does that was never scaled before: act, or only decide and show. */
  firstRun: z.enum(["live", "shadow"]).optional(),
});

/** The balancer. */
const traffic = z.strictObject({
  /** Where it listens for HTTP of services that name no port of their own. */
  http: listenAddress.optional(),
  /** The HAProxy program: a path, or a name that is looked for in PATH. */
  haproxy: z.string().min(1).optional(),
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
  prometheus: prometheus.optional(),
  /** Name of an `autoscale.*` label without that prefix → what it says for services that do not say it. */
  autoscale: z
    .record(
      z.string().min(1),
      z.union([z.string(), z.number(), z.boolean()], "expected one value, as the label has"),
    )
    .optional(),
  scaler: scaler.optional(),
  traffic: traffic.optional(),
  /** How much may be reserved of what the machine has: 1 is all of it, 1.5 half as much again. */
  overcommit: z.number().min(0.1).max(100).optional(),
  /** Who is told when something is wrong, and what of. */
  alerts: alertsSchema.optional(),
});

/** Settings that hold others. */
const GROUPS: Readonly<Record<string, z.ZodObject>> = {
  remoteWrite,
  prometheus,
  scaler,
  alerts: alertsSchema,
};

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
  readonly prometheus?: PrometheusConfig;
  /** Defaults for `autoscale.*` labels, by their names without that prefix. */
  readonly autoscale?: Readonly<Record<string, string>>;
  readonly scaler: { readonly firstRun: "live" | "shadow" };
  readonly traffic: { readonly http: Config["listen"]; readonly haproxy: string };
  readonly overcommit: number;
  /** Absent: alerts as they are built in, and nobody who is told of them. */
  readonly alerts?: AlertsConfig;
}

export interface RemoteWriteConfig {
  readonly url: string;
  readonly token?: string;
}

/** A bearer token, or basic authentication, or neither. Files are read when they are needed. */
export interface PrometheusConfig {
  readonly url: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly passwordFile?: string;
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
  "prometheus.url": "FLYBALL_PROMETHEUS_URL",
  "prometheus.token": "FLYBALL_PROMETHEUS_TOKEN",
  "prometheus.username": "FLYBALL_PROMETHEUS_USERNAME",
  "prometheus.password": "FLYBALL_PROMETHEUS_PASSWORD",
  "traffic.http": "FLYBALL_TRAFFIC_HTTP",
  "traffic.haproxy": "FLYBALL_HAPROXY",
} as const satisfies Record<
  | Exclude<
      keyof z.infer<typeof schema>,
      | "remoteWrite"
      | "metricsLabels"
      | "metricsContainerLabels"
      | "prometheus"
      | "autoscale"
      | "scaler"
      | "traffic"
      | "overcommit"
      | "alerts"
    >
  | `remoteWrite.${keyof z.infer<typeof remoteWrite>}`
  | `traffic.${keyof z.infer<typeof traffic>}`
  | `prometheus.${Exclude<keyof z.infer<typeof prometheus>, "tokenFile" | "passwordFile">}`,
  string
>;

/** Where a setting came from, in place of a file. */
const ENVIRONMENT = "environment";
const SYSTEM_CONFIG_FILE = "/etc/flyball/flyball.yaml";
export const DEFAULT_LISTEN = "127.0.0.1:7070";
const DEFAULT_TRAFFIC_HTTP = "127.0.0.1:8080";
const DEFAULT_HAPROXY = "haproxy";

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
  const asked = checkPrometheus({ ...fromFile.prometheus, ...fromEnvironment.prometheus }, diagnostics);
  const balancer = { ...fromFile.traffic, ...fromEnvironment.traffic };
  const autoscale = readDefaults(fromFile.autoscale, path, diagnostics);
  const alerts = readAlerts(fromFile.alerts, path, diagnostics);
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
    ...(asked === undefined ? {} : { prometheus: asked }),
    ...(autoscale === undefined ? {} : { autoscale }),
    traffic: {
      http: parseListen(balancer.http ?? DEFAULT_TRAFFIC_HTTP),
      haproxy: balancer.haproxy ?? DEFAULT_HAPROXY,
    },
    scaler: { firstRun: settings.scaler?.firstRun ?? "live" },
    overcommit: settings.overcommit ?? 1,
    ...(alerts === undefined ? {} : { alerts }),
    ...(url === undefined ? {} : { remoteWrite: { url, ...(token === undefined ? {} : { token }) } }),
  };
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && `${url.username}${url.password}${url.search}${url.hash}` === "";
}

/** One way to say who asks, and all of it. */
function checkPrometheus(
  settings: z.infer<typeof prometheus>,
  diagnostics: Diagnostics,
): PrometheusConfig | undefined {
  const given = new Set(
    Object.entries(settings).flatMap(([key, value]) => (value === undefined ? [] : [key])),
  );
  const refuse = (key: string, message: string) => {
    if (given.has(key)) diagnostics.error({ path: `prometheus.${key}` }, message);
  };
  if (given.has("token")) refuse("tokenFile", "excludes prometheus.token: keep one");
  if (given.has("password")) refuse("passwordFile", "excludes prometheus.password: keep one");
  const hasPassword = given.has("password") || given.has("passwordFile");
  if (!given.has("username")) {
    for (const key of ["password", "passwordFile"]) refuse(key, "needs prometheus.username beside it");
  } else if (!hasPassword)
    refuse("username", "needs prometheus.password or prometheus.passwordFile beside it");
  if (given.has("token") || given.has("tokenFile")) {
    refuse("username", "excludes a bearer token: keep one of the two");
  }
  const { url, ...rest } = settings;
  if (url !== undefined) return { url, ...withoutUndefined(rest) };
  for (const key of given) refuse(key, "is of no use without prometheus.url");
  return undefined;
}

/** Values as labels have them: in YAML, a bare 20 is a number. */
function readDefaults(
  values: z.infer<typeof schema>["autoscale"],
  file: string | undefined,
  diagnostics: Diagnostics,
): Readonly<Record<string, string>> | undefined {
  if (values === undefined) return undefined;
  const defaults = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  const place = file === undefined ? {} : { file };
  diagnostics.addAll(checkScalingDefaults(defaults).map((problem) => ({ ...problem, ...place })));
  return defaults;
}

function readAlerts(
  settings: z.infer<typeof schema>["alerts"],
  file: string | undefined,
  diagnostics: Diagnostics,
): AlertsConfig | undefined {
  if (settings === undefined) return undefined;
  const { config, problems } = alertsConfig(settings);
  const place = file === undefined ? {} : { file };
  for (const { key, message } of problems) diagnostics.error({ path: `alerts.${key}`, ...place }, message);
  return config;
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
  const result = schema.safeParse(withLongForms(value));
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    if (issue.code === "unrecognized_keys") {
      const group = GROUPS[String(issue.path[0])];
      for (const key of issue.keys) {
        const meant = nearest(key, Object.keys((group ?? schema).shape));
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

/** `prometheus: http://…` says its URL alone. */
function withLongForms(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!("prometheus" in value) || typeof value.prometheus !== "string") return value;
  return { ...value, prometheus: { url: value.prometheus } };
}

function isSetting(key: string): key is keyof typeof VARIABLES {
  return Object.hasOwn(VARIABLES, key);
}

/** A token is never shown, not even one that cannot be used. */
function whatCame(value: unknown, key: string): string {
  if (key === "token" || Object.hasOwn(GROUPS, key) || typeof value !== "object" || value === null) return "";
  const came: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return came === undefined ? "" : `, got ${JSON.stringify(came)}`;
}

function settingsOf(environment: Environment): Settings {
  const settings: Record<string, unknown> = {};
  const groups: Record<string, Record<string, unknown>> = {};
  for (const [key, variable] of Object.entries(VARIABLES)) {
    const value = environment[variable] || undefined;
    if (value === undefined) continue;
    const [first = key, second] = key.split(".");
    if (second === undefined) settings[key] = value;
    else groups[first] = { ...groups[first], [second]: value };
  }
  return { ...settings, ...groups };
}

function withoutUndefined<T extends object>(settings: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
