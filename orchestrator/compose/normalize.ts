import { projectTypeOf } from "./jobs.ts";
import type { ComposeProject } from "./model.ts";
import {
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
import { asList, asMapping, mapValues, scalarText, type YamlMapping } from "./values.ts";

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
    ...projectTypeOf(document),
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

const extraHosts: Read = (value) => {
  const hosts = asList(value).map(scalarText).sort();
  return hosts.length > 0 ? hosts : undefined;
};

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
