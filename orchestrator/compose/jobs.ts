import type { Diagnostics } from "../../core/diagnostics.ts";
import type { JobSpec } from "../../core/job.ts";
import { JOB_LABELS } from "../../core/job-labels.ts";
import type { Service } from "../../core/types.ts";
import type { ComposeProject } from "./model.ts";
import { asMapping, type YamlMapping, type YamlValue } from "./values.ts";

/** The vendor's word for a project of jobs; it may stand on the top level, or among labels there. */
const PROJECT_TYPE_KEY = "aliyun.project_type";
const MOST_TASKS = 1_000;

/** The vendor's word where the model keeps it. */
export function projectTypeOf(document: YamlMapping): { readonly [key: `x-${string}`]: YamlValue } {
  const type = document[PROJECT_TYPE_KEY] ?? asMapping(document["labels"] ?? null)[PROJECT_TYPE_KEY];
  return type === undefined ? {} : { [`x-${PROJECT_TYPE_KEY}`]: type };
}

export function isBatchProject(compose: ComposeProject): boolean {
  return compose[`x-${PROJECT_TYPE_KEY}`] === "batch";
}

/** @param asked the count of the service, which is that of a job's tasks when it says nothing of them */
export function jobOf(job: JobSpec, labels: Readonly<Record<string, string>>, asked: number): JobSpec {
  if (labels[JOB_LABELS.jobTasks.key] !== undefined) return job;
  return { ...job, tasks: Math.min(Math.max(1, asked), MOST_TASKS) };
}

/** The same services; a job that comes after what is no job, or after itself, is refused. */
export function withJobsChecked(services: readonly Service[], diagnostics: Diagnostics): readonly Service[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  return services.map((service): Service => {
    const { job, name } = service;
    if (job?.trigger.kind !== "after") return service;
    const reason = whyNotAfter(name, job.trigger.services, byName);
    if (reason === undefined) return service;
    const place = { path: `services.${name}.labels.${JOB_LABELS.jobAfter.key}` };
    diagnostics.warning(place, `${reason} (the job does not run)`);
    return { ...service, job: { ...job, trigger: { kind: "refused", reason } } };
  });
}

function whyNotAfter(
  name: string,
  after: readonly string[],
  byName: ReadonlyMap<string, Service>,
): string | undefined {
  for (const other of after) {
    const known = byName.get(other);
    if (known === undefined) return `comes after ${other}, which the project does not have`;
    if (known.job === undefined) return `comes after ${other}, which is no job and never succeeds`;
  }
  const seen = new Set(after);
  for (const other of seen) {
    const trigger = byName.get(other)?.job?.trigger;
    if (trigger?.kind === "after") for (const next of trigger.services) seen.add(next);
  }
  return seen.has(name) ? `comes after itself, by way of ${after.join(", ")}` : undefined;
}
