import type { Project, Service } from "../../core/types.ts";
import type { Planning } from "./planning.ts";

/**
 * A service that is a job has no replicas; its tasks are not for this plan. What they need is made ahead, so that a
 * run begins when it is due, and replicas from before it was a job go.
 */
export function planJob({ seen, draft, needs }: Planning, project: Project, service: Service): void {
  const { id, job, template } = service;
  if (job?.trigger.kind !== "refused") needs.of(project, service, template, false);
  for (const replica of seen.of(service)) {
    if (seen.isBusy(id, replica.slot)) continue;
    if (replica.origin === "flyball") draft.remove(replica, `${service.name} is a job, and has no replicas`);
    else
      draft.hold(id, "foreign", "is a job, and compose made this container: it is left alone", replica.slot);
  }
}
