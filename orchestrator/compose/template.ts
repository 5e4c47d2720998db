import type { Diagnostics } from "../../core/diagnostics.ts";
import type {
  Healthcheck,
  Mount,
  NetworkAttachment,
  PortMapping,
  ReplicaTemplate,
  Resources,
  RestartPolicy,
} from "../../core/types.ts";
import { parseBytes, parseDurationMs, SECOND_MS } from "../../core/units.ts";
import { containerOptions } from "./container-options.ts";
import type { ComposeFileReference, ComposeMount, ComposeProject, ComposeService } from "./model.ts";
import { warnOfUnhonoured } from "./unhonoured.ts";

/** Docker's and compose's own defaults. */
const DEFAULT_GRACE_MS = 10 * SECOND_MS;
const DEFAULT_HEALTH_MS = 30 * SECOND_MS;
const DEFAULT_HEALTH_RETRIES = 3;
/** Compose says 0, which would be a busy loop. */
const DEFAULT_RESTART_DELAY_MS = SECOND_MS;

/** What makes one replica of a service, from the normalized compose model. Problems are added to `diagnostics`. */
export function replicaTemplate(
  compose: ComposeProject,
  name: string,
  service: ComposeService,
  diagnostics: Diagnostics,
): ReplicaTemplate {
  const path = `services.${name}`;
  warnOfUnhonoured(service, path, diagnostics);
  const healthcheck = healthcheckOf(service);
  return {
    ...(service.image === undefined ? {} : { image: service.image }),
    ...(service.entrypoint === null ? {} : { entrypoint: service.entrypoint }),
    ...(service.command === null ? {} : { command: service.command }),
    environment: withoutNull(service.environment ?? {}),
    ...(service.working_dir === undefined ? {} : { workingDirectory: service.working_dir }),
    ...(service.user === undefined ? {} : { user: service.user }),
    labels: service.labels ?? {},
    ports: portsOf(service, path, diagnostics),
    exposedPorts: service.expose ?? [],
    mounts: [
      ...(service.volumes ?? []).map((mount) => mountOf(compose, mount, path, diagnostics)),
      ...(service.tmpfs ?? []).map((text) => tmpfsOf(text, path, diagnostics)),
      ...fileMounts(compose, service, "configs", path, diagnostics),
      ...fileMounts(compose, service, "secrets", path, diagnostics),
    ],
    networks: networksOf(compose, service),
    ...networkModeOf(service, path, diagnostics),
    restart: restartOf(service),
    ...(service.stop_signal === undefined ? {} : { stopSignal: service.stop_signal }),
    stopGraceMs: durationOf(service.stop_grace_period) ?? DEFAULT_GRACE_MS,
    ...(healthcheck === undefined ? {} : { healthcheck }),
    resources: resourcesOf(service),
    container: containerOptions(service, path, diagnostics),
  };
}

function withoutNull(environment: Readonly<Record<string, string | null>>): Record<string, string> {
  const entries = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(entries);
}

function portsOf(service: ComposeService, path: string, diagnostics: Diagnostics): PortMapping[] {
  return (service.ports ?? []).map((port) => {
    const protocol = port.protocol ?? "tcp";
    const known = protocol === "tcp" || protocol === "udp" || protocol === "sctp";
    if (!known)
      diagnostics.error({ path: `${path}.ports` }, `expected protocol tcp, udp or sctp, got ${protocol}`);
    return {
      target: port.target,
      protocol: known ? protocol : "tcp",
      ...(port.host_ip === undefined ? {} : { hostIp: port.host_ip }),
      ...(port.published === undefined || port.published === "0" ? {} : { published: port.published }),
    };
  });
}

function mountOf(
  compose: ComposeProject,
  mount: ComposeMount,
  path: string,
  diagnostics: Diagnostics,
): Mount {
  const { type } = mount;
  const place = { path: `${path}.volumes` };
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") {
    diagnostics.error(place, `expected a mount of type bind, volume or tmpfs, got ${type}`);
    return { type: "volume", target: mount.target, readOnly: false };
  }
  if (mount.volume?.subpath !== undefined) diagnostics.error(place, "subpath of a volume is not supported");
  const source = type === "volume" ? volumeName(compose, mount.source) : mount.source;
  const tmpfsSizeBytes = mount.tmpfs?.size === undefined ? undefined : parseBytes(mount.tmpfs.size);
  return {
    type,
    ...(source === undefined ? {} : { source }),
    target: mount.target,
    readOnly: mount.read_only === true,
    ...(tmpfsSizeBytes === undefined ? {} : { tmpfsSizeBytes }),
    ...(mount.tmpfs?.mode === undefined ? {} : { tmpfsMode: mount.tmpfs.mode }),
    ...(mount.bind?.create_host_path === undefined ? {} : { createHostPath: mount.bind.create_host_path }),
    ...(mount.bind?.propagation === undefined ? {} : { propagation: mount.bind.propagation }),
    ...(mount.volume?.nocopy === undefined ? {} : { noCopy: mount.volume.nocopy }),
  };
}

function volumeName(compose: ComposeProject, key: string | undefined): string | undefined {
  return key === undefined ? undefined : (compose.volumes?.[key]?.name ?? key);
}

/** `tmpfs: /run:size=64m,mode=1777`. */
function tmpfsOf(text: string, path: string, diagnostics: Diagnostics): Mount {
  const [target = text, options = ""] = text.split(":", 2);
  let size: number | undefined;
  let mode: number | undefined;
  let readOnly = false;
  for (const option of options.split(",").filter((word) => word !== "")) {
    const [key, value = ""] = option.split("=", 2);
    if (key === "size") size = parseBytes(value);
    else if (key === "mode") mode = Number.parseInt(value, 8);
    else if (key === "ro") readOnly = true;
    else diagnostics.warning({ path: `${path}.tmpfs` }, `option ${option} of ${target} is not acted on`);
  }
  return {
    type: "tmpfs",
    target,
    readOnly,
    ...(size === undefined ? {} : { tmpfsSizeBytes: size }),
    ...(mode === undefined || Number.isNaN(mode) ? {} : { tmpfsMode: mode }),
  };
}

/** Configs and secrets that are files are mounted read-only, as compose does outside of Swarm. */
function fileMounts(
  compose: ComposeProject,
  service: ComposeService,
  kind: "configs" | "secrets",
  path: string,
  diagnostics: Diagnostics,
): Mount[] {
  return (service[kind] ?? []).flatMap((reference) => {
    const source = reference.source === undefined ? undefined : compose[kind]?.[reference.source];
    if (source?.file !== undefined) {
      const target = fileTarget(reference, kind);
      return [
        { type: "bind", source: source.file, target, readOnly: true, createHostPath: false } satisfies Mount,
      ];
    }
    diagnostics.error(
      { path: `${path}.${kind}` },
      `${reference.source ?? "(unnamed)"}: only ${kind} with file: are supported; content, environment and external ones are not`,
    );
    return [];
  });
}

function fileTarget(reference: ComposeFileReference, kind: "configs" | "secrets"): string {
  const base = kind === "secrets" ? "/run/secrets/" : "/";
  const target = reference.target ?? reference.source ?? "";
  return target.startsWith("/") ? target : `${base}${target}`;
}

function networksOf(compose: ComposeProject, service: ComposeService): NetworkAttachment[] {
  return Object.entries(service.networks ?? {})
    .toSorted(([a, x], [b, y]) => (y?.priority ?? 0) - (x?.priority ?? 0) || (a < b ? -1 : 1))
    .map(([key, attachment]) => ({
      network: compose.networks?.[key]?.name ?? key,
      aliases: attachment?.aliases ?? [],
      ...(attachment?.ipv4_address === undefined ? {} : { ipv4Address: attachment.ipv4_address }),
      ...(attachment?.ipv6_address === undefined ? {} : { ipv6Address: attachment.ipv6_address }),
    }));
}

function networkModeOf(
  service: ComposeService,
  path: string,
  diagnostics: Diagnostics,
): { networkMode?: string } {
  const mode = service.network_mode;
  if (mode === undefined) return {};
  if (mode.startsWith("service:")) {
    diagnostics.error(
      { path: `${path}.network_mode` },
      `${mode} is not supported: whose replica would it join?`,
    );
  }
  return { networkMode: mode };
}

/** `deploy.restart_policy` if there is one, else `restart`. */
function restartOf(service: ComposeService): RestartPolicy {
  const deployed = service.deploy?.restart_policy;
  if (deployed !== undefined) {
    const condition = deployed.condition ?? "any";
    return {
      condition: condition === "none" || condition === "on-failure" ? condition : "any",
      delayMs: durationOf(deployed.delay) ?? DEFAULT_RESTART_DELAY_MS,
      ...(deployed.max_attempts === undefined ? {} : { maxAttempts: deployed.max_attempts }),
    };
  }
  const compose = service.restart ?? "no";
  const [word, attempts] = compose.split(":", 2);
  const condition =
    word === "always" || word === "unless-stopped" ? "any" : word === "on-failure" ? word : "none";
  return {
    condition,
    delayMs: DEFAULT_RESTART_DELAY_MS,
    ...(attempts === undefined ? {} : { maxAttempts: Number(attempts) }),
    ...(service.restart === undefined ? {} : { compose }),
  };
}

function healthcheckOf(service: ComposeService): Healthcheck | undefined {
  const check = service.healthcheck;
  if (check === undefined) return undefined;
  const startIntervalMs = durationOf(check.start_interval);
  return {
    test: check.disable === true ? ["NONE"] : (check.test ?? []),
    intervalMs: durationOf(check.interval) ?? DEFAULT_HEALTH_MS,
    timeoutMs: durationOf(check.timeout) ?? DEFAULT_HEALTH_MS,
    retries: check.retries ?? DEFAULT_HEALTH_RETRIES,
    startPeriodMs: durationOf(check.start_period) ?? 0,
    ...(startIntervalMs === undefined ? {} : { startIntervalMs }),
  };
}

function resourcesOf(service: ComposeService): Resources {
  const { limits, reservations } = service.deploy?.resources ?? {};
  const quotaCores =
    service.cpu_quota === undefined || service.cpu_quota <= 0
      ? undefined
      : service.cpu_quota / (service.cpu_period ?? 100_000);
  const limitCores = positive(limits?.cpus) ?? positive(service.cpus) ?? quotaCores;
  const limitMemoryBytes = bytesOf(limits?.memory) ?? bytesOf(service.mem_limit);
  const reservedCores = positive(reservations?.cpus);
  const reservedMemoryBytes = bytesOf(reservations?.memory) ?? bytesOf(service.mem_reservation);
  const limitPids = positive(limits?.pids) ?? positive(service.pids_limit);
  return {
    ...(limitCores === undefined ? {} : { limitCores }),
    ...(limitMemoryBytes === undefined ? {} : { limitMemoryBytes }),
    ...(reservedCores === undefined ? {} : { reservedCores }),
    ...(reservedMemoryBytes === undefined ? {} : { reservedMemoryBytes }),
    ...(limitPids === undefined ? {} : { limitPids }),
  };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number(value) > 0 ? Number(value) : undefined;
}

function bytesOf(text: string | undefined): number | undefined {
  return positive(text === undefined ? undefined : parseBytes(text));
}

function durationOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDurationMs(text);
}
