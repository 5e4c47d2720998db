import { serviceIdOf } from "../../../core/ids.ts";
import type { TaskIdentity } from "../../../core/job.ts";
import type { Dependency, Project, Service } from "../../../core/types.ts";
import { OWNER_LABELS } from "../../engine.ts";
import type { Labels } from "./wire.ts";

/** By these, and never by its name, `docker compose` recognises what is its own. */
export const COMPOSE_LABELS = {
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneoff: "com.docker.compose.oneoff",
  configHash: "com.docker.compose.config-hash",
  image: "com.docker.compose.image",
  dependsOn: "com.docker.compose.depends_on",
  version: "com.docker.compose.version",
  workingDirectory: "com.docker.compose.project.working_dir",
  configFiles: "com.docker.compose.project.config_files",
  /** On the successor of a container that compose recreated: whose successor. */
  replace: "com.docker.compose.replace",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
} as const;

/** On a clone: the container that it was made from. */
export const CLONED_FROM_LABEL = "flyball.cloned-from";

/** The release of compose whose set of labels this is. */
const COMPOSE_VERSION = "2.26.1";

const COMPOSE_CONDITIONS = {
  started: "service_started",
  healthy: "service_healthy",
  completed: "service_completed_successfully",
} as const satisfies Record<Dependency["condition"], string>;

/** Who makes which replica; `imageId` is what the image's name stands for now. */
export interface ReplicaIdentity {
  readonly project: Project;
  readonly service: Service;
  readonly slot: number;
  readonly instanceId: string;
  /** It is a task of a job, and no replica. */
  readonly task?: TaskIdentity;
}

const TASK_LABELS = { run: "flyball.run", task: "flyball.task", attempt: "flyball.attempt" } as const;

/** Which task the container is; absent: none of a job, or another daemon's. */
export function taskIdentityOf(
  labels: Readonly<Record<string, string>> | null | undefined,
  instanceId: string,
): TaskIdentity | undefined {
  const run = labels?.[TASK_LABELS.run];
  const [task, attempt] = [Number(labels?.[TASK_LABELS.task]), Number(labels?.[TASK_LABELS.attempt])];
  if (run === undefined || labels?.[OWNER_LABELS.owner] !== instanceId) return undefined;
  return Number.isInteger(task) && Number.isInteger(attempt) ? { run, task, attempt } : undefined;
}

function taskLabels({ run, task, attempt }: TaskIdentity): Labels {
  return {
    [TASK_LABELS.run]: run,
    [TASK_LABELS.task]: String(task),
    [TASK_LABELS.attempt]: String(attempt),
  };
}

export function ownerLabels({ project, service, slot, instanceId, task }: ReplicaIdentity): Labels {
  return {
    ...(task === undefined ? {} : taskLabels(task)),
    [OWNER_LABELS.owner]: instanceId,
    [OWNER_LABELS.project]: project.name,
    [OWNER_LABELS.service]: service.name,
    [OWNER_LABELS.slot]: String(slot),
    [OWNER_LABELS.templateHash]: service.templateHash,
  };
}

/**
 * Compose's hash cannot be computed here; ours stands in its place, because without one compose is blind to it. A task
 * is to compose what its own `run` makes: shown by `ps -a`, ended by `down`, and no replica.
 */
export function composeLabels({ project, service, slot, task }: ReplicaIdentity, imageId: string): Labels {
  return {
    [COMPOSE_LABELS.project]: project.name,
    [COMPOSE_LABELS.service]: service.name,
    [COMPOSE_LABELS.number]: String(slot),
    [COMPOSE_LABELS.oneoff]: task === undefined ? "False" : "True",
    [COMPOSE_LABELS.configHash]: service.templateHash,
    [COMPOSE_LABELS.image]: imageId,
    [COMPOSE_LABELS.dependsOn]: dependsOnLabel(project, service.dependsOn),
    [COMPOSE_LABELS.version]: COMPOSE_VERSION,
    [COMPOSE_LABELS.workingDirectory]: project.workingDirectory,
    [COMPOSE_LABELS.configFiles]: project.composeFiles.join(","),
  };
}

export function networkLabels(project: Project, key: string): Labels {
  return {
    [COMPOSE_LABELS.project]: project.name,
    [COMPOSE_LABELS.network]: key,
    [COMPOSE_LABELS.version]: COMPOSE_VERSION,
  };
}

export function volumeLabels(project: Project, key: string): Labels {
  return {
    [COMPOSE_LABELS.project]: project.name,
    [COMPOSE_LABELS.volume]: key,
    [COMPOSE_LABELS.version]: COMPOSE_VERSION,
  };
}

/**
 * A clone's: all of its original's, with its own number, and ours. What somebody made to look like compose's may lack
 * a hash, without which a copy of it is invisible to compose, and its name in compose's way.
 */
export function cloneLabels(original: Labels, originalId: string, identity: ReplicaIdentity): Labels {
  const { [COMPOSE_LABELS.replace]: _, ...kept } = original;
  return {
    [COMPOSE_LABELS.configHash]: identity.service.templateHash,
    ...kept,
    [COMPOSE_LABELS.number]: String(identity.slot),
    [COMPOSE_LABELS.oneoff]: "False",
    ...ownerLabels(identity),
    [CLONED_FROM_LABEL]: originalId,
  };
}

/** `project-service-3`. */
export function replicaName(project: string, service: string, slot: number): string {
  return `${project}-${service}-${slot}`;
}

/** `name:condition:restart`, joined by commas, as compose reads it back for `down`'s order. */
function dependsOnLabel(project: Project, dependencies: readonly Dependency[]): string {
  const prefix = serviceIdOf(project.name, "");
  return dependencies
    .map(({ service, condition }) => `${service.slice(prefix.length)}:${COMPOSE_CONDITIONS[condition]}:false`)
    .join(",");
}
