/** What this engine will not do of what a service asks, said before and not after. */
import type { Diagnostic } from "../../../core/diagnostics.ts";
import type { ContainerOptions, Project, Service } from "../../../core/types.ts";
import type { Cgroups } from "./cgroup.ts";
import { checkCommand } from "./health.ts";
import { type Host, planLaunch } from "./launch.ts";

export function checkService(service: Service, project: Project, host: Host, cgroups: Cgroups): Diagnostic[] {
  const { template } = service;
  const found: Diagnostic[] = [];
  const add = (severity: Diagnostic["severity"], field: string, message: string): void => {
    found.push({ severity, path: `services.${service.name}.${field}`, message });
  };
  const warn = (field: string, message: string): void => add("warning", field, message);

  const { launch, problems } = planLaunch(service, project, host);
  for (const { field, message, lasting } of problems) {
    if (lasting) add("error", field, message);
    else warn(field, `a replica cannot start as things are now: ${message}`);
  }
  for (const limit of launch.notEnforced) warn("user", `not enforced: ${limit}`);
  for (const limit of cgroups.notEnforced(launch)) warn("deploy.resources.limits", `not enforced: ${limit}`);

  if (template.image !== undefined && launch.argv.length > 0) {
    warn("image", `image ${template.image} is not used: the command runs on this machine as it is`);
  }
  if (template.ports.some((port) => port.published !== undefined)) {
    warn("ports", "published ports are not bound: each replica is to listen on the port in $PORT");
  } else if (template.ports.length > 0) {
    warn("ports", "each replica is to listen on the port in $PORT");
  }
  if (template.environment["PORT"] !== undefined) {
    warn(
      "environment",
      `PORT=${template.environment["PORT"]} is replaced: each replica is given a port of its own`,
    );
  }
  for (const mount of template.mounts) {
    warn("volumes", `${mount.type} ${mount.source ?? "(anonymous)"} is not mounted at ${mount.target}`);
  }
  if (template.networkMode !== undefined && template.networkMode !== "host") {
    warn(
      "network_mode",
      `network mode ${template.networkMode} is not honoured: replicas use this machine's network`,
    );
  }
  const networks = template.networks.map((attachment) => attachment.network);
  if (networks.some((network) => network !== `${project.name}_default`)) {
    warn("networks", `no networks are made (${networks.join(", ")}): replicas use this machine's network`);
  }
  if (template.networks.some((attachment) => attachment.aliases.length > 0)) {
    warn("networks", "aliases are not resolved: replicas are reached at 127.0.0.1 and their port");
  }
  const { reservedCores, reservedMemoryBytes } = template.resources;
  if (reservedCores !== undefined || reservedMemoryBytes !== undefined) {
    warn(
      "deploy.resources.reservations",
      "nothing is set aside for a process: the reservation only counts for scaling",
    );
  }
  const asked = template.probe?.port;
  if (asked !== undefined && launch.targetPort !== undefined && asked !== launch.targetPort) {
    warn(
      "labels",
      `its probe asks port ${asked}, and a process has one port only, which stands for ${launch.targetPort}: it is never ready`,
    );
  }
  const check = template.healthcheck;
  if (check !== undefined && checkCommand(check.test) === undefined && check.test[0] !== "NONE") {
    warn("healthcheck", `a test is CMD, CMD-SHELL or NONE, not ${JSON.stringify(check.test)}`);
  }
  for (const option of containerOptions(template.container)) {
    warn(
      COMPOSE_KEYS[option],
      `${COMPOSE_KEYS[option]} is for containers only and has no effect on a process`,
    );
  }
  return found;
}

/** Those that are set to something other than what a process is like anyway. */
function containerOptions(options: ContainerOptions): (keyof ContainerOptions)[] {
  return (Object.keys(COMPOSE_KEYS) as (keyof ContainerOptions)[]).filter((option) => {
    const value = options[option];
    if (value === undefined || value === false) return false;
    return typeof value !== "object" || Object.keys(value).length > 0;
  });
}

const COMPOSE_KEYS: Readonly<Record<keyof ContainerOptions, string>> = {
  containerName: "container_name",
  hostname: "hostname",
  domainName: "domainname",
  init: "init",
  tty: "tty",
  stdinOpen: "stdin_open",
  privileged: "privileged",
  readOnly: "read_only",
  capAdd: "cap_add",
  capDrop: "cap_drop",
  securityOpt: "security_opt",
  groupAdd: "group_add",
  devices: "devices",
  dns: "dns",
  dnsSearch: "dns_search",
  dnsOptions: "dns_opt",
  extraHosts: "extra_hosts",
  sysctls: "sysctls",
  ulimits: "ulimits",
  shmSizeBytes: "shm_size",
  pidMode: "pid",
  ipcMode: "ipc",
  usernsMode: "userns_mode",
  cgroupParent: "cgroup_parent",
  runtime: "runtime",
  platform: "platform",
  oomScoreAdj: "oom_score_adj",
  oomKillDisable: "oom_kill_disable",
  memorySwapBytes: "memswap_limit",
  memorySwappiness: "mem_swappiness",
  cpuShares: "cpu_shares",
  cpuset: "cpuset",
  logDriver: "logging.driver",
  logOptions: "logging.options",
  pullPolicy: "pull_policy",
};
