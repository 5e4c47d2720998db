import {
  boolean,
  count,
  duration,
  either,
  integer,
  key,
  keysOf,
  listOf,
  mappingOf,
  number,
  oneOf,
  options,
  orNothing,
  pairs,
  refused,
  scalar,
  size,
  sizeText,
  text,
  textOrNumber,
  textOrTexts,
  texts,
} from "./shape.ts";

/** The shapes of what stands inside the keys of a service, for the table in support.ts. */

export const NAME = /^[a-zA-Z0-9._-]+$/u;

export const NOT_BUILT =
  "Flyball runs images and does not build them; build it first, as with `docker compose build`";
export const HOOKS = "Flyball does not run lifecycle hooks";
export const DEVICE_REQUESTS = "Flyball does not hand out GPUs and other requested devices";

export const command = orNothing(either("a text or a list of texts", text, texts));
export const hook = keysOf({
  command: key(command),
  user: key(text),
  privileged: key(boolean),
  working_dir: key(text),
  environment: key(pairs),
});

export const ulimits = mappingOf(
  either(
    "a whole number, or a mapping with soft and hard",
    integer,
    keysOf({ soft: key(integer), hard: key(integer) }, ["soft", "hard"]),
  ),
);

export const fileReferences = listOf(
  either(
    "a name, or a mapping with source and target",
    text,
    keysOf({ source: key(text), target: key(text), uid: key(text), gid: key(text), mode: key(textOrNumber) }),
  ),
);

export const extraHosts = either("a mapping, or a list of HOST=IP", mappingOf(textOrTexts), texts);

export const build = either(
  "a text or a mapping",
  text,
  keysOf({
    context: key(text),
    dockerfile: key(text),
    dockerfile_inline: key(text),
    entitlements: key(texts),
    args: key(pairs),
    ssh: key(pairs),
    labels: key(pairs),
    cache_from: key(texts),
    cache_to: key(texts),
    no_cache: key(boolean),
    no_cache_filter: key(textOrTexts),
    additional_contexts: key(pairs),
    network: key(text),
    provenance: key(scalar),
    pull: key(boolean),
    sbom: key(scalar),
    target: key(text),
    shm_size: key(size),
    extra_hosts: key(extraHosts),
    isolation: key(text),
    privileged: key(boolean),
    secrets: key(fileReferences),
    tags: key(texts),
    ulimits: key(ulimits),
    platforms: key(texts),
  }),
);

const throttle = listOf(keysOf({ path: key(text), rate: key(size) }));
export const blkio = keysOf({
  weight: key(count),
  weight_device: key(listOf(keysOf({ path: key(text), weight: key(count) }))),
  device_read_bps: key(throttle),
  device_read_iops: key(throttle),
  device_write_bps: key(throttle),
  device_write_iops: key(throttle),
});

export const dependsOn = either(
  "a list of services, or a mapping of them",
  texts,
  mappingOf(
    keysOf(
      {
        condition: key(oneOf("service_started", "service_healthy", "service_completed_successfully")),
        restart: key(boolean),
        required: key(boolean),
      },
      ["condition"],
    ),
    NAME,
  ),
);

export const envFile = either(
  "a file name, or a list of them",
  text,
  listOf(
    either(
      "a file name, or a mapping with path",
      text,
      keysOf(
        {
          path: key(text),
          required: key(boolean),
          format: refused("only the .env grammar is read; leave format out"),
        },
        ["path"],
      ),
    ),
  ),
);

export const healthcheck = keysOf({
  disable: key(boolean),
  test: key(either("a text or a list of texts", text, texts)),
  interval: key(duration),
  timeout: key(duration),
  retries: key(count),
  start_period: key(duration),
  start_interval: key(duration),
});

export const ports = listOf(
  either(
    "a port such as 8080:80, or a mapping with target",
    textOrNumber,
    keysOf({
      name: key(text),
      mode: key(text),
      host_ip: key(text),
      target: key(count),
      published: key(textOrNumber),
      protocol: key(text),
      app_protocol: key(text),
    }),
  ),
);

export const mounts = listOf(
  either(
    "a mount such as data:/var/lib/data, or a mapping with type and target",
    text,
    keysOf(
      {
        type: key(oneOf("bind", "volume", "tmpfs", "npipe", "cluster", "image")),
        source: key(text),
        target: key(text),
        read_only: key(boolean),
        consistency: key(text),
        bind: key(
          keysOf({
            propagation: key(text),
            create_host_path: key(boolean),
            recursive: key(oneOf("enabled", "disabled", "writable", "readonly")),
            selinux: key(oneOf("z", "Z")),
          }),
        ),
        volume: key(keysOf({ nocopy: key(boolean), subpath: key(text), labels: key(pairs) })),
        tmpfs: key(keysOf({ size: key(size), mode: key(textOrNumber) })),
        image: refused("Flyball does not mount images"),
      },
      ["type"],
    ),
  ),
);

export const serviceNetworks = either(
  "a list of networks, or a mapping of them",
  texts,
  mappingOf(
    orNothing(
      keysOf({
        aliases: key(texts),
        ipv4_address: key(text),
        ipv6_address: key(text),
        link_local_ips: key(texts),
        mac_address: key(text),
        driver_opts: key(options),
        priority: key(number),
        gw_priority: key(number),
        interface_name: key(text),
      }),
    ),
    NAME,
  ),
);

const rollout = keysOf({
  parallelism: key(count),
  delay: key(duration),
  failure_action: key(text),
  monitor: key(duration),
  max_failure_ratio: key(number),
  order: key(oneOf("start-first", "stop-first")),
});

export const deploy = orNothing(
  keysOf({
    mode: key(text),
    endpoint_mode: key(text),
    replicas: key(count),
    labels: key(pairs),
    update_config: key(rollout),
    rollback_config: key(rollout),
    resources: key(
      keysOf({
        limits: key(keysOf({ cpus: key(number), memory: key(sizeText()), pids: key(integer) })),
        reservations: key(
          keysOf({
            cpus: key(number),
            memory: key(sizeText()),
            generic_resources: key(
              listOf(
                keysOf({ discrete_resource_spec: key(keysOf({ kind: key(text), value: key(number) })) }),
              ),
            ),
            devices: refused(DEVICE_REQUESTS),
          }),
        ),
      }),
    ),
    restart_policy: key(
      keysOf({ condition: key(text), delay: key(duration), max_attempts: key(count), window: key(duration) }),
    ),
    placement: key(
      keysOf({
        constraints: key(texts),
        preferences: key(listOf(keysOf({ spread: key(text) }))),
        max_replicas_per_node: key(count),
      }),
    ),
  }),
);
