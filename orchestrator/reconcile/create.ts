import type { ObservedReplica, Project, Service } from "../../core/types.ts";
import type { Planning } from "./planning.ts";

export interface Creation {
  readonly slot: number;
  readonly cause: string;
  /** Absent: from the service's template. */
  readonly cloneOf?: ObservedReplica | undefined;
  readonly after?: readonly number[];
}

/** Plans a replica and its start; false when what it needs cannot be had now. */
export function planCreation(
  { draft, needs }: Planning,
  project: Project,
  service: Service,
  { slot, cause, cloneOf, after = [] }: Creation,
): boolean {
  const resources = cloneOf === undefined ? needs.of(project, service, service.template) : [];
  if (resources === undefined) return false;
  const created = draft.push({
    kind: "create-replica",
    service: service.id,
    slot,
    ...(cloneOf === undefined ? {} : { cloneOf: cloneOf.id }),
    after: [...after, ...resources],
    cause: cloneOf === undefined ? cause : `${cause} (a copy of ${cloneOf.name})`,
  });
  draft.push({ kind: "start-replica", service: service.id, slot, after: [created], cause });
  return true;
}

/** What compose made is copied, so that compose goes on to own it; the oldest, which is likeliest its file's. */
export function cloneSource(replicas: readonly ObservedReplica[]): ObservedReplica | undefined {
  let source: ObservedReplica | undefined;
  for (const replica of replicas) {
    if (replica.origin !== "compose") continue;
    // One that compose is taking away may have the definition that compose has just replaced.
    if (replica.state !== "stopping") return replica;
    source ??= replica;
  }
  return source;
}
