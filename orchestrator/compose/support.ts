import {
  anything,
  boolean,
  count,
  duration,
  either,
  integer,
  integerWithin,
  type Key,
  key,
  keysOf,
  type Level,
  listOf,
  mappingOf,
  nullableOptions,
  number,
  oneOf,
  options,
  orNothing,
  pairs,
  refused,
  type Shape,
  size,
  text,
  textOrNumber,
  textOrTexts,
  texts,
  warned,
} from "./shape.ts";
import {
  blkio,
  build,
  command,
  DEVICE_REQUESTS,
  dependsOn,
  deploy,
  envFile,
  extraHosts,
  fileReferences,
  HOOKS,
  healthcheck,
  hook,
  mounts,
  NAME,
  NOT_BUILT,
  ports,
  serviceNetworks,
  ulimits,
} from "./support-parts.ts";

/**
 * The one table of the compose keys: what may stand there, and whether Flyball acts upon it, warns that it does not,
 * or refuses the file because ignoring the key would change what the service means.
 */

const service = keysOf({
  annotations: key(pairs),
  attach: warned(boolean, "Flyball attaches to no service; ask the engine for its logs"),
  build: warned(build, NOT_BUILT),
  blkio_config: key(blkio),
  cap_add: key(texts),
  cap_drop: key(texts),
  cgroup: key(oneOf("host", "private")),
  cgroup_parent: key(text),
  command: key(command),
  configs: key(fileReferences),
  container_name: key(text),
  cpu_count: warned(count, "it is for Windows containers only"),
  cpu_percent: warned(number, "it is for Windows containers only"),
  cpu_period: key(integer),
  cpu_quota: key(integer),
  cpu_rt_period: key(integer),
  cpu_rt_runtime: key(integer),
  cpu_shares: key(integer),
  cpus: key(number),
  cpuset: key(text),
  credential_spec: refused("it is for Windows containers only"),
  depends_on: key(dependsOn),
  deploy: key(deploy),
  develop: warned(anything, "it is for `docker compose watch`"),
  device_cgroup_rules: key(texts),
  devices: key(
    listOf(
      either(
        "a device such as /dev/fuse, or a mapping with source",
        text,
        keysOf({ source: key(text), target: key(text), permissions: key(text) }, ["source"]),
      ),
    ),
  ),
  dns: key(textOrTexts),
  dns_opt: key(texts),
  dns_search: key(textOrTexts),
  domainname: key(text),
  entrypoint: key(command),
  env_file: key(envFile),
  environment: key(pairs),
  expose: key(listOf(textOrNumber)),
  extends: key(
    either(
      "a service's name, or a mapping with service and file",
      text,
      keysOf({ service: key(text), file: key(text) }, ["service"]),
    ),
  ),
  external_links: warned(texts, "Flyball makes no links; put both containers on one network"),
  extra_hosts: key(extraHosts),
  gpus: refused(DEVICE_REQUESTS),
  group_add: key(listOf(textOrNumber)),
  healthcheck: key(healthcheck),
  hostname: key(text),
  image: key(text),
  init: key(boolean),
  ipc: key(text),
  isolation: refused("it is for Windows containers only"),
  label_file: key(textOrTexts),
  labels: key(pairs),
  links: warned(texts, "Flyball makes no links; services of one network find each other by name"),
  logging: key(keysOf({ driver: key(text), options: key(nullableOptions) })),
  mac_address: key(text),
  mem_limit: key(size),
  mem_reservation: key(size),
  mem_swappiness: key(size),
  memswap_limit: key(size),
  models: refused("Flyball does not run models"),
  network_mode: key(text),
  networks: key(serviceNetworks),
  oom_kill_disable: key(boolean),
  oom_score_adj: key(integerWithin(-1000, 1000)),
  pid: key(orNothing(text)),
  pids_limit: key(integer),
  platform: key(text),
  ports: key(ports),
  post_start: warned(listOf(hook), HOOKS),
  pre_stop: warned(listOf(hook), HOOKS),
  privileged: key(boolean),
  profiles: key(texts),
  provider: refused("Flyball runs containers and processes, not the platforms of other providers"),
  pull_policy: key(oneOf("always", "never", "if_not_present", "build", "missing")),
  read_only: key(boolean),
  restart: key(text),
  runtime: key(text),
  scale: key(count),
  secrets: key(fileReferences),
  security_opt: key(texts),
  shm_size: key(size),
  stdin_open: key(boolean),
  stop_grace_period: key(duration),
  stop_signal: key(text),
  storage_opt: key(nullableOptions),
  sysctls: key(pairs),
  tmpfs: key(textOrTexts),
  tty: key(boolean),
  ulimits: key(ulimits),
  use_api_socket: refused("Flyball gives no container the socket of its engine"),
  user: key(text),
  userns_mode: key(text),
  uts: key(text),
  volumes: key(mounts),
  volumes_from: refused("name the volumes that the services share under volumes"),
  working_dir: key(text),
});

const external = either("true, false, or a mapping with name", boolean, keysOf({ name: key(text) }));

const network = orNothing(
  keysOf({
    name: key(text),
    driver: key(text),
    driver_opts: key(options),
    ipam: key(
      keysOf({
        driver: key(text),
        config: key(
          listOf(
            keysOf({
              subnet: key(text),
              ip_range: key(text),
              gateway: key(text),
              aux_addresses: key(mappingOf(text)),
            }),
          ),
        ),
        options: key(mappingOf(text)),
      }),
    ),
    external: key(external),
    internal: key(boolean),
    attachable: key(boolean),
    enable_ipv4: key(boolean),
    enable_ipv6: key(boolean),
    labels: key(pairs),
  }),
);

const volume = orNothing(
  keysOf({
    name: key(text),
    driver: key(text),
    driver_opts: key(options),
    external: key(external),
    labels: key(pairs),
  }),
);

const fileObject = {
  name: key(text),
  environment: key(text),
  file: key(text),
  external: key(external),
  labels: key(pairs),
  template_driver: key(text),
};

const include = listOf(
  either(
    "a file name, or a mapping with path",
    text,
    keysOf({ path: key(textOrTexts), env_file: key(textOrTexts), project_directory: key(text) }, ["path"]),
  ),
);

/** Of the platform that `aliyun.*` comes from; docker compose refuses it. */
const projectType = { "aliyun.project_type": key(oneOf("batch")) };

/** The shape of a whole compose file. */
export const COMPOSE_SHAPE: Shape = keysOf({
  ...projectType,
  labels: key(keysOf(projectType)),
  version: warned(text, "it is obsolete and means nothing; it can be removed"),
  name: key(text),
  include: key(include),
  services: key(mappingOf(service, NAME)),
  networks: key(mappingOf(network, NAME)),
  volumes: key(mappingOf(volume, NAME)),
  secrets: key(mappingOf(keysOf({ ...fileObject, driver: key(text), driver_opts: key(options) }), NAME)),
  configs: key(mappingOf(keysOf({ ...fileObject, content: key(text) }), NAME)),
  models: refused("Flyball does not run models"),
});

export interface SupportRow {
  /** `services.*.deploy.replicas`. */
  readonly path: string;
  readonly expects: string;
  readonly level: Level;
  readonly reason?: string;
}

/** Every key of a compose file with what Flyball makes of it, for the documentation. */
export function supportTable(shape: Shape = COMPOSE_SHAPE, parent = ""): SupportRow[] {
  const rows: SupportRow[] = [];
  const below = (inner: Shape | undefined, path: string) => {
    if (inner !== undefined) rows.push(...supportTable(inner, path));
  };
  for (const [name, entry] of Object.entries(shape.keys ?? {})) {
    const path = parent === "" ? name : `${parent}.${name}`;
    rows.push(supportRow(path, entry));
    if (entry.level === "supported") below(entry.shape, path);
  }
  below(shape.values, `${parent}.*`);
  below(shape.items, `${parent}[]`);
  return rows;
}

function supportRow(path: string, { shape, level, reason }: Key): SupportRow {
  return { path, expects: shape.expects, level, ...(reason === undefined ? {} : { reason }) };
}
