import type { Plan } from "../core/types.ts";
import { Draft } from "./reconcile/draft.ts";
import type { DesiredProject, ReconcileInput } from "./reconcile/input.ts";
import { planJob } from "./reconcile/job.ts";
import { Ledger } from "./reconcile/ledger.ts";
import { Needs } from "./reconcile/needs.ts";
import type { Planning } from "./reconcile/planning.ts";
import { planOrphans, planRemoval } from "./reconcile/removal.ts";
import { Seen } from "./reconcile/seen.ts";
import { planService } from "./reconcile/service.ts";
import { sortedBy } from "./reconcile/sorted.ts";

/**
 * What must be done to get from what is to what should be, and what is left alone and why. The same input gives the
 * same plan; a plan that was carried out leaves nothing to do; an incomplete observation plans nothing, because what
 * it does not show may well exist.
 */
export function reconcile(input: ReconcileInput): Plan {
  const seen = new Seen(input.observed, input.inFlight, input.succeededJobs);
  const draft = new Draft(input.nowMs, input.attempts);
  const planning: Planning = {
    input,
    seen,
    draft,
    needs: new Needs(seen, draft),
    ledger: ledgerOf(input, seen),
  };
  for (const desired of sortedBy(input.desired, ({ project }) => project.name))
    planProject(planning, desired);
  return draft.plan;
}

function ledgerOf({ capacity, desired, observed, rollouts }: ReconcileInput, seen: Seen): Ledger | undefined {
  if (capacity === undefined) return undefined;
  const projects = desired.map(({ project }) => project);
  return new Ledger(capacity, projects, observed.replicas, seen.allArriving, rollouts);
}

function planProject(planning: Planning, { project, replicas, removing }: DesiredProject): void {
  const { seen, draft } = planning;
  if (!seen.complete) {
    for (const { id } of project.services)
      draft.hold(id, "observation", "the engine's state could not be read completely");
    return;
  }
  if (removing) {
    planRemoval(project, seen, draft);
    return;
  }
  for (const service of sortedBy(project.services, ({ name }) => name)) {
    const left = planning.input.left?.get(service.id);
    if (service.job !== undefined) planJob(planning, project, service);
    else if (left !== undefined) draft.hold(service.id, "external", left);
    else planService(planning, project, service, replicas.get(service.id) ?? service.initialReplicas);
  }
  planOrphans(project, seen, draft);
}
