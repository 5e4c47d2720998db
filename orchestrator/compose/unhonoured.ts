import type { Diagnostics } from "../../core/diagnostics.ts";
import type { ComposeService } from "./model.ts";

/** Keys that the model carries and that no replica is made with, and why it matters little or what to do instead. */
const UNHONOURED: readonly [path: string, read: (service: ComposeService) => unknown][] = [
  ["annotations", (service) => service.annotations],
  ["blkio_config", (service) => service.blkio_config],
  ["cgroup", (service) => service.cgroup],
  ["cpu_rt_period", (service) => service.cpu_rt_period],
  ["cpu_rt_runtime", (service) => service.cpu_rt_runtime],
  ["device_cgroup_rules", (service) => service.device_cgroup_rules],
  ["mac_address", (service) => service.mac_address],
  ["storage_opt", (service) => service.storage_opt],
  ["uts", (service) => service.uts],
  ["deploy.endpoint_mode", (service) => service.deploy?.endpoint_mode],
  ["deploy.placement.constraints", (service) => service.deploy?.placement?.constraints],
  ["deploy.placement.preferences", (service) => service.deploy?.placement?.preferences],
  ["deploy.placement.max_replicas_per_node", (service) => service.deploy?.placement?.max_replicas_per_node],
  ["deploy.restart_policy.window", (service) => service.deploy?.restart_policy?.window],
  [
    "deploy.resources.reservations.generic_resources",
    (service) => service.deploy?.resources?.reservations?.generic_resources,
  ],
];

const UNHONOURED_OF_NETWORKS = [
  "mac_address",
  "link_local_ips",
  "driver_opts",
  "gw_priority",
  "interface_name",
] as const;

/** Names every key of the service that has no effect. */
export function warnOfUnhonoured(service: ComposeService, path: string, diagnostics: Diagnostics): void {
  for (const [key, read] of UNHONOURED) {
    if (isSet(read(service)))
      diagnostics.warning({ path: `${path}.${key}` }, "is not acted on by this version");
  }
  const mode = service.deploy?.mode;
  if (mode !== undefined && mode !== "replicated" && mode !== "global") {
    diagnostics.warning({ path: `${path}.deploy.mode` }, `${mode} is run as replicated by this version`);
  }
  for (const [network, attachment] of Object.entries(service.networks ?? {})) {
    for (const key of UNHONOURED_OF_NETWORKS) {
      if (!isSet(attachment?.[key])) continue;
      diagnostics.warning({ path: `${path}.networks.${network}.${key}` }, "is not acted on by this version");
    }
  }
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
