import type { Diagnostics } from "../../core/diagnostics.ts";
import type { ContainerOptions } from "../../core/types.ts";
import { parseBytes } from "../../core/units.ts";
import type { ComposeService } from "./model.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] | undefined };

/** The part of a compose service that only a container has. */
export function containerOptions(
  service: ComposeService,
  path: string,
  diagnostics: Diagnostics,
): ContainerOptions {
  for (const key of ["pid", "ipc"] as const) {
    if (service[key]?.startsWith("service:") === true) {
      diagnostics.error(
        { path: `${path}.${key}` },
        `${service[key]} is not supported: whose replica would it join?`,
      );
    }
  }
  const options: Mutable<ContainerOptions> = {
    containerName: service.container_name,
    hostname: service.hostname,
    domainName: service.domainname,
    init: service.init,
    tty: service.tty,
    stdinOpen: service.stdin_open,
    privileged: service.privileged,
    readOnly: service.read_only,
    capAdd: service.cap_add,
    capDrop: service.cap_drop,
    securityOpt: service.security_opt,
    groupAdd: service.group_add?.map(String),
    devices: service.devices?.map(({ source = "", target = source, permissions = "rwm" }) => ({
      source,
      target,
      permissions,
    })),
    dns: service.dns,
    dnsSearch: service.dns_search,
    dnsOptions: service.dns_opt,
    extraHosts: service.extra_hosts?.map((entry) => entry.replace("=", ":")),
    sysctls: service.sysctls,
    ulimits: service.ulimits && Object.entries(service.ulimits).map(([name, limit]) => ulimitOf(name, limit)),
    shmSizeBytes: bytes(service.shm_size),
    pidMode: service.pid,
    ipcMode: service.ipc,
    usernsMode: service.userns_mode,
    cgroupParent: service.cgroup_parent,
    runtime: service.runtime,
    platform: service.platform,
    oomScoreAdj: service.oom_score_adj,
    oomKillDisable: service.oom_kill_disable,
    memorySwapBytes: bytes(service.memswap_limit),
    memorySwappiness: bytes(service.mem_swappiness),
    cpuShares: service.cpu_shares,
    cpuset: service.cpuset,
    logDriver: service.logging?.driver,
    logOptions: service.logging?.options,
    pullPolicy: pullPolicyOf(service.pull_policy),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function ulimitOf(name: string, limit: number | { soft?: number; hard?: number }) {
  if (typeof limit === "number") return { name, soft: limit, hard: limit };
  const soft = limit.soft ?? limit.hard ?? 0;
  return { name, soft, hard: limit.hard ?? soft };
}

function bytes(text: string | undefined): number | undefined {
  // -1 is "unlimited" for swap.
  if (text === "-1") return -1;
  return text === undefined ? undefined : parseBytes(text);
}

function pullPolicyOf(policy: string | undefined): ContainerOptions["pullPolicy"] {
  if (policy === "always" || policy === "never") return policy;
  return policy === undefined ? undefined : "missing";
}
