import type { ObservedState, Project, Service, ServiceId } from "../../core/types.ts";
import { dependencyNotMet } from "../reconcile/dependencies.ts";
import { Seen } from "../reconcile/seen.ts";

const NOTHING_UNDER_WAY = {
  arriving: new Set<string>(),
  leaving: new Set<string>(),
  resources: new Set<string>(),
};

/** Why no task of the job may be begun now; absent: it may. What it needs is made by the plan for its project. */
export function waitsFor(
  service: Service,
  project: Project,
  observed: ObservedState,
  succeededJobs: () => ReadonlySet<ServiceId>,
): string | undefined {
  const { image, networks, mounts } = service.template;
  if (image !== undefined && !observed.images.includes(image)) return `waits for image ${image}`;
  const network = networks.find((one) => !observed.networks.includes(one.network));
  if (network !== undefined) return `waits for network ${network.network}`;
  const volume = mounts.find(({ type, source }) => {
    return type === "volume" && source !== undefined && !observed.volumes.includes(source);
  });
  if (volume !== undefined) return `waits for volume ${volume.source}`;
  if (service.dependsOn.length === 0) return undefined;
  return dependencyNotMet(project, service, new Seen(observed, NOTHING_UNDER_WAY, succeededJobs()));
}
