import type { ComposeProject } from "./model.ts";
import {
  asIs,
  bytes,
  choice,
  count,
  duration,
  entries,
  environment,
  filled,
  flag,
  list,
  mapping,
  number,
  pause,
  type Read,
  ratio,
  readKeys,
  text,
  textMap,
  texts,
  words,
} from "./read.ts";
import {
  asList,
  asMapping,
  has,
  isMapping,
  mapValues,
  scalarText,
  type YamlMapping,
  type YamlValue,
} from "./values.ts";

/**
 * The defaults of the Compose Specification put into a merged, canonical document: the default network, names of
 * resources, dependencies that other keys imply.
 */
export function applyDefaults(document: YamlMapping, projectName: string): YamlMapping {
  const services = mapValues(asMapping(document["services"]), (service) =>
    serviceDefaults(asMapping(service)),
  );
  const usesDefault = Object.values(services).some(
    (service) => "default" in asMapping(asMapping(service)["networks"]),
  );
  const declared = asMapping(document["networks"]);
  const networks = usesDefault && !("default" in declared) ? { ...declared, default: null } : declared;
  const named = (section: YamlMapping) =>
    mapValues(section, (value, name) => {
      const resource = asMapping(value);
      const isExternal = choice(resource["external"] ?? false) === true;
      return { ...resource, name: resource["name"] ?? (isExternal ? name : `${projectName}_${name}`) };
    });
  return {
    ...document,
    name: projectName,
    services,
    networks: named(networks),
    volumes: named(asMapping(document["volumes"])),
    secrets: named(asMapping(document["secrets"])),
    configs: named(asMapping(document["configs"])),
  };
}

function serviceDefaults(service: YamlMapping): YamlMapping {
  const dependencies = mapValues(asMapping(service["depends_on"]), (dependency) => ({
    condition: "service_started",
    required: true,
    ...asMapping(dependency),
  }));
  for (const [name, restart] of impliedDependencies(service)) {
    if (!has(dependencies, name)) {
      dependencies[name] = { condition: "service_started", restart, required: true };
    }
  }
  const networks = asMapping(service["networks"]);
  const hasNetworks = Object.keys(networks).length > 0;
  return {
    ...service,
    ...(Object.keys(dependencies).length > 0 ? { depends_on: dependencies } : {}),
    ...("network_mode" in service ? {} : { networks: hasNetworks ? networks : { default: null } }),
    ...(service["pull_policy"] === "if_not_present" ? { pull_policy: "missing" } : {}),
    ...("build" in service ? { build: buildDefaults(asMapping(service["build"])) } : {}),
    ...("ports" in service
      ? {
          ports: asList(service["ports"]).map((port) => ({
            mode: "ingress",
            protocol: "tcp",
            ...asMapping(port),
          })),
        }
      : {}),
    ...("secrets" in service ? { secrets: asList(service["secrets"]).map(secretDefaults) } : {}),
  };
}

/** Builds without a context build the directory of the project; this comes before paths are made absolute. */
export function withBuildContexts(document: YamlMapping): YamlMapping {
  if (!("services" in document)) return document;
  const services = mapValues(asMapping(document["services"]), (service) => {
    const { build, ...rest } = asMapping(service);
    return isMapping(build) ? { ...rest, build: { context: ".", ...build } } : service;
  });
  return { ...document, services };
}

function* impliedDependencies(service: YamlMapping): Generator<[name: string, restart: boolean]> {
  for (const link of asList(service["links"])) yield [scalarText(link).split(":", 1)[0] ?? "", true];
  for (const key of ["network_mode", "ipc", "pid", "uts", "cgroup"]) {
    const shared = /^service:(.*)$/u.exec(scalarText(service[key] ?? null))?.[1];
    if (shared !== undefined) yield [shared, true];
  }
}

function buildDefaults(build: YamlMapping): YamlMapping {
  const hasDockerfile = "dockerfile" in build || "dockerfile_inline" in build;
  return {
    ...(hasDockerfile ? {} : { dockerfile: "Dockerfile" }),
    ...build,
  };
}

function secretDefaults(value: YamlValue): YamlValue {
  const secret = asMapping(value);
  return { target: `/run/secrets/${scalarText(secret["source"] ?? null)}`, ...secret };
}

/** The model of a document that has its defaults; only what some service uses is kept of networks and the like. */
export function toProject(document: YamlMapping): ComposeProject {
  const services = mapValues(asMapping(document["services"]), (service) => toService(asMapping(service)));
  const used = usedResources(Object.values(services).map(asMapping));
  const section = (
    name: keyof typeof used,
    readers: Readonly<Record<string, Read>>,
    always: YamlMapping = {},
  ) => {
    const kept = Object.entries(asMapping(document[name])).filter(([key]) => used[name].has(key));
    if (kept.length === 0) return {};
    return {
      [name]: Object.fromEntries(
        kept.map(([key, value]) => [key, { ...always, ...readKeys(asMapping(value), readers) }]),
      ),
    };
  };
  const extensions = Object.entries(document).filter(([key]) => key.startsWith("x-"));
  const project: YamlMapping = {
    name: document["name"] ?? "",
    services,
    ...section("networks", NETWORK, { ipam: {} }),
    ...section("volumes", VOLUME),
    ...section("secrets", FILE_OBJECT),
    ...section("configs", { ...FILE_OBJECT, content: text }),
    ...Object.fromEntries(extensions),
  };
  return project as unknown as ComposeProject;
}

function usedResources(services: readonly YamlMapping[]) {
  const sources = (key: string, of: (service: YamlMapping) => YamlMapping = (service) => service) =>
    services.flatMap((service) =>
      asList(of(service)[key]).map((item) => scalarText(asMapping(item)["source"] ?? null)),
    );
  return {
    networks: new Set(services.flatMap((service) => Object.keys(asMapping(service["networks"])))),
    volumes: new Set(
      services.flatMap((service) =>
        asList(service["volumes"])
          .map(asMapping)
          .filter((mount) => mount["type"] === "volume")
          .map((mount) => scalarText(mount["source"] ?? null)),
      ),
    ),
    secrets: new Set([
      ...sources("secrets"),
      ...sources("secrets", (service) => asMapping(service["build"])),
    ]),
    configs: new Set(sources("configs")),
  };
}

function toService(service: YamlMapping): YamlMapping {
  return { command: null, entrypoint: null, ...readKeys(service, SERVICE) };
}

const FILE_REFERENCE: Readonly<Record<string, Read>> = {
  source: text,
  target: text,
  uid: text,
  gid: text,
  mode: count,
};

const ulimits: Read = (value) =>
  filled(
    mapValues(asMapping(value), (limit) => {
      if (typeof limit !== "object") return Number(limit) === 0 ? {} : Number(limit);
      return readKeys(asMapping(limit), { soft: number, hard: number });
    }),
  );

const THROTTLE = list({ path: text, rate: bytes });

const throttles: Read = (value) =>
  asList(THROTTLE(value)).map((item) => {
    const { path = "", rate = "0" } = asMapping(item);
    return { Path: path, Rate: rate };
  });

const BLKIO: Readonly<Record<string, Read>> = {
  weight: number,
  weight_device: (value) =>
    asList(value).map((item) => {
      const { path = "", weight = 0 } = asMapping(item);
      return { Path: path, Weight: Number(weight) };
    }),
  device_read_bps: throttles,
  device_read_iops: throttles,
  device_write_bps: throttles,
  device_write_iops: throttles,
};

const extraHosts: Read = (value) => asList(value).map(scalarText).sort();

const ssh: Read = (value) =>
  Object.entries(asMapping(value)).map(([id, path]) => (path === null ? id : `${id}=${scalarText(path)}`));

const BUILD: Readonly<Record<string, Read>> = {
  context: text,
  dockerfile: text,
  dockerfile_inline: text,
  entitlements: texts,
  args: environment,
  ssh,
  labels: textMap,
  cache_from: texts,
  cache_to: texts,
  no_cache: flag,
  additional_contexts: textMap,
  pull: flag,
  extra_hosts: extraHosts,
  isolation: text,
  network: text,
  target: text,
  secrets: list(FILE_REFERENCE),
  shm_size: bytes,
  tags: texts,
  ulimits,
  platforms: texts,
  privileged: flag,
};

const ROLLOUT: Readonly<Record<string, Read>> = {
  parallelism: count,
  delay: pause,
  failure_action: text,
  monitor: pause,
  max_failure_ratio: ratio,
  order: text,
};

const RESOURCE: Readonly<Record<string, Read>> = {
  cpus: ratio,
  memory: bytes,
  pids: number,
  generic_resources: list({
    discrete_resource_spec: (value) => {
      const { kind = "", value: amount = 0 } = asMapping(value);
      return { kind, value: Number(amount) };
    },
  }),
};

const DEPLOY: Readonly<Record<string, Read>> = {
  mode: text,
  replicas: count,
  labels: textMap,
  update_config: mapping(ROLLOUT),
  rollback_config: mapping(ROLLOUT),
  resources: mapping({ limits: mapping(RESOURCE), reservations: mapping(RESOURCE) }),
  restart_policy: mapping({ condition: text, delay: duration, max_attempts: count, window: duration }),
  placement: mapping({
    constraints: texts,
    preferences: list({ spread: text }),
    max_replicas_per_node: number,
  }),
  endpoint_mode: text,
};

const deploy: Read = (value) => ({ resources: {}, placement: {}, ...readKeys(asMapping(value), DEPLOY) });

const hooks: Read = (value) =>
  asList(value).map((hook) => ({
    command: null,
    ...readKeys(asMapping(hook), {
      command: words,
      user: text,
      privileged: flag,
      working_dir: text,
      environment,
    }),
  }));

const dependencies: Read = (value) =>
  filled(
    mapValues(asMapping(value), (dependency) =>
      readKeys(asMapping(dependency), { condition: text, restart: flag, required: choice }),
    ),
  );

const MOUNT: Readonly<Record<string, Read>> = {
  type: text,
  source: text,
  target: text,
  read_only: flag,
  consistency: text,
  bind: mapping({ selinux: text, propagation: text, create_host_path: flag, recursive: text }),
  volume: mapping({ nocopy: flag, subpath: text }),
  tmpfs: mapping({ size: bytes, mode: number }),
};

const SERVICE: Readonly<Record<string, Read>> = {
  profiles: texts,
  annotations: textMap,
  attach: choice,
  build: mapping(BUILD),
  develop: asIs,
  blkio_config: mapping(BLKIO),
  cap_add: texts,
  cap_drop: texts,
  cgroup_parent: text,
  cgroup: text,
  cpu_count: number,
  cpu_percent: number,
  cpu_period: number,
  cpu_quota: number,
  cpu_rt_period: number,
  cpu_rt_runtime: number,
  cpus: ratio,
  cpuset: text,
  cpu_shares: number,
  command: words,
  configs: list(FILE_REFERENCE),
  container_name: text,
  depends_on: dependencies,
  deploy,
  device_cgroup_rules: texts,
  devices: list({ source: text, target: text, permissions: text }),
  dns: texts,
  dns_opt: texts,
  dns_search: texts,
  domainname: text,
  entrypoint: words,
  environment,
  expose: texts,
  external_links: texts,
  extra_hosts: extraHosts,
  group_add: texts,
  hostname: text,
  healthcheck: mapping({
    test: texts,
    timeout: duration,
    interval: duration,
    retries: count,
    start_period: duration,
    start_interval: duration,
    disable: flag,
  }),
  image: text,
  init: choice,
  ipc: text,
  labels: textMap,
  links: texts,
  logging: mapping({ driver: text, options: textMap }),
  mem_limit: bytes,
  mem_reservation: bytes,
  memswap_limit: bytes,
  mem_swappiness: bytes,
  mac_address: text,
  network_mode: text,
  networks: entries({
    priority: number,
    gw_priority: number,
    aliases: texts,
    ipv4_address: text,
    ipv6_address: text,
    link_local_ips: texts,
    mac_address: text,
    driver_opts: textMap,
    interface_name: text,
  }),
  oom_kill_disable: flag,
  oom_score_adj: number,
  pid: text,
  pids_limit: number,
  platform: text,
  ports: list({
    name: text,
    mode: text,
    host_ip: text,
    target: number,
    published: text,
    protocol: text,
    app_protocol: text,
  }),
  privileged: flag,
  pull_policy: text,
  read_only: flag,
  restart: text,
  runtime: text,
  scale: count,
  secrets: list(FILE_REFERENCE),
  security_opt: texts,
  shm_size: bytes,
  stdin_open: flag,
  stop_grace_period: duration,
  stop_signal: text,
  storage_opt: textMap,
  sysctls: textMap,
  tmpfs: texts,
  tty: flag,
  ulimits,
  user: text,
  userns_mode: text,
  uts: text,
  volumes: list(MOUNT),
  working_dir: text,
  post_start: hooks,
  pre_stop: hooks,
};

const NETWORK: Readonly<Record<string, Read>> = {
  name: text,
  driver: text,
  driver_opts: textMap,
  ipam: mapping({
    driver: text,
    config: list({ subnet: text, gateway: text, ip_range: text, aux_addresses: textMap }),
  }),
  external: flag,
  internal: flag,
  attachable: flag,
  labels: textMap,
  enable_ipv4: choice,
  enable_ipv6: choice,
};

const VOLUME: Readonly<Record<string, Read>> = {
  name: text,
  driver: text,
  driver_opts: textMap,
  external: flag,
  labels: textMap,
};

const FILE_OBJECT: Readonly<Record<string, Read>> = {
  name: text,
  file: text,
  environment: text,
  external: flag,
  labels: textMap,
  driver: text,
  driver_opts: textMap,
  template_driver: text,
};
