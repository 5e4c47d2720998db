import type { Clock } from "../../../core/clock.ts";
import { isFlyballError, messageOf } from "../../../core/errors.ts";
import { serviceIdOf } from "../../../core/ids.ts";
import type { ObservedTask } from "../../../core/job.ts";
import type { Log } from "../../../core/log.ts";
import type { ObservedReplica, ObservedState, Project, ReplicaId, Service } from "../../../core/types.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { OWNER_LABELS } from "../../engine.ts";
import { observedTask } from "../../observed-task.ts";
import { existingNetworks, existingVolumes, inspectContainer, listContainers } from "./api.ts";
import { mapConcurrent } from "./concurrent.ts";
import type { DockerConnection } from "./connect.ts";
import { isGone } from "./errors.ts";
import { knownImageId } from "./images.ts";
import { COMPOSE_LABELS, taskIdentityOf } from "./labels.ts";
import type { Memory } from "./memory.ts";
import { type ReplicaPlace, replicaOf, unstartedReplicaOf } from "./replica.ts";
import { seat } from "./slots.ts";
import { type Succession, succession } from "./succession.ts";
import type { InspectedContainer, ListedContainer } from "./wire.ts";

const CONCURRENCY = 4;
/** A container whose state is locked by a hanging operation must not hold up the rest for long. */
const INSPECT_DEADLINE_MS = 10_000;

export interface ObserveParts {
  readonly connection: DockerConnection;
  /** Whose tasks are looked at: another daemon's are that one's. */
  readonly instanceId: string;
  readonly memory: Memory;
  readonly stopping: ReadonlySet<ReplicaId>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What can be read of one observation, and whether that is all of it. */
interface Look extends ObserveParts {
  readonly signal: AbortSignal;
  readonly missed: (what: string, error: unknown) => void;
}

export async function observe(
  parts: ObserveParts,
  projects: readonly Project[],
  signal: AbortSignal,
): Promise<ObservedState> {
  const atMs = parts.clock.nowMs();
  let complete = true;
  const missed = (what: string, error: unknown): void => {
    signal.throwIfAborted();
    complete = false;
    parts.log.warn({ what, error: messageOf(error) }, "a part of the observation failed");
  };
  const look: Look = { ...parts, signal, missed };
  const [containers, networks, volumes, images] = await Promise.all([
    mapConcurrent(projects, CONCURRENCY, (project) => containersOf(look, project)),
    orElse(
      look,
      "networks",
      existingNetworks(parts.connection, namesOf(projects, "networks"), { signal }),
      [],
    ),
    orElse(look, "volumes", existingVolumes(parts.connection, namesOf(projects, "volumes"), { signal }), []),
    imagesOf(look, projects),
  ]);
  const replicas = containers.flatMap((one) => one.replicas);
  const tasks = containers.flatMap((one) => one.tasks);
  const all = [...replicas.map(({ id }) => id), ...tasks.map(({ replica }) => replica)];
  if (complete) parts.memory.keepOnly(new Set(all));
  return { atMs, complete, replicas, tasks, networks, volumes, images };
}

interface ProjectContainers {
  readonly replicas: readonly ObservedReplica[];
  readonly tasks: readonly ObservedTask[];
}

async function containersOf(look: Look, project: Project): Promise<ProjectContainers> {
  const listing = listContainers(look.connection, project.name, { signal: look.signal });
  const listed = await orElse(look, `containers of ${project.name}`, listing, []);
  return { replicas: await replicasOf(look, project, listed), tasks: await tasksOf(look, project, listed) };
}

async function tasksOf(
  look: Look,
  project: Project,
  listed: readonly ListedContainer[],
): Promise<ObservedTask[]> {
  const seen = await mapConcurrent(listed, CONCURRENCY, async (container) => {
    const identity = taskIdentityOf(container.Labels, look.instanceId);
    if (identity === undefined) return [];
    const place = placeOf(look, project, new Map(), container, identity.task + 1);
    if (isOursUnstarted(container)) return [observedTask(identity, unstartedReplicaOf(container, place))];
    const inspected = await inspect(look, container);
    return inspected === undefined ? [] : [observedTask(identity, startedReplica(look, inspected, place))];
  });
  return seen.flat();
}

async function replicasOf(
  look: Look,
  project: Project,
  all: readonly ListedContainer[],
): Promise<ObservedReplica[]> {
  const listed = all.filter(isReplica);
  const slots = slotsOf(look, listed);
  const replacing = replacedByCompose(listed, look.clock.nowMs());
  const services = new Map(project.services.map((service) => [service.name, service]));
  const seen = await mapConcurrent(listed, CONCURRENCY, async (container) => {
    const slot = slots.get(container.Id);
    if (slot === undefined) return [];
    const place = placeOf(look, project, services, container, slot);
    if (isOursUnstarted(container)) return [unstartedReplicaOf(container, place)];
    const inspected = await inspect(look, container);
    return inspected === undefined ? [] : [startedReplica(look, inspected, place)];
  });
  return seen.flat().map((replica) => whileReplaced(replica, replacing));
}

function placeOf(
  look: Look,
  project: Project,
  services: ReadonlyMap<string, Service>,
  container: ListedContainer,
  slot: number,
): ReplicaPlace {
  const name = container.Labels?.[COMPOSE_LABELS.service] ?? "";
  return {
    project: project.name,
    service: serviceIdOf(project.name, name),
    slot,
    definition: services.get(name),
    publishedHost: hostOf(look.connection),
    isStopping: look.stopping.has(container.Id),
  };
}

function startedReplica(look: Look, container: InspectedContainer, place: ReplicaPlace): ObservedReplica {
  const seenReadyAtMs = look.memory.readyAtMs(container);
  const replica = replicaOf(container, { ...place, seenReadyAtMs }, look.clock.nowMs());
  if (replica.readyAtMs !== undefined) look.memory.keepReady(container, replica.readyAtMs);
  return replica;
}

function hostOf({ address }: DockerConnection): string {
  return address.kind === "tcp" ? address.host : "127.0.0.1";
}

/** Undefined for one that vanished since the list, and for one that cannot be read. */
async function inspect(
  look: Look,
  { Id, State, Status }: ListedContainer,
): Promise<InspectedContainer | undefined> {
  const health = /\(([^)]*)\)$/u.exec(Status ?? "")?.[1] ?? "";
  const listed = `${State} ${health}`;
  const remembered = look.memory.container(Id, listed, look.clock.nowMs());
  if (remembered !== undefined) return remembered;
  const { epoch } = look.memory;
  try {
    const call = { signal: look.signal, deadlineMs: INSPECT_DEADLINE_MS };
    const answer = await inspectContainer(look.connection, Id, call);
    look.memory.keepContainer(answer, listed, epoch, look.clock.nowMs());
    return answer;
  } catch (error) {
    if (!isGone(error)) look.missed(`container ${Id.slice(0, 12)}`, error);
    return undefined;
  }
}

/**
 * What an inspection adds of one of ours begins with its start, and while many start, inspections hold them up. Others
 * may have been started in vain, which only an inspection shows; ours are removed then.
 */
function isOursUnstarted({ State, Labels }: ListedContainer): boolean {
  return State === "created" && Labels?.[OWNER_LABELS.owner] !== undefined;
}

/** Compose's one-off containers (`run`) belong to a service but are no replicas of it. */
function isReplica({ Labels }: ListedContainer): boolean {
  return Labels?.[COMPOSE_LABELS.service] !== undefined && Labels[COMPOSE_LABELS.oneoff] !== "True";
}

function slotsOf(look: Look, listed: readonly ListedContainer[]): Map<ReplicaId, number> {
  const byService = Map.groupBy(listed, ({ Labels }) => Labels?.[COMPOSE_LABELS.service]);
  const all = new Map<ReplicaId, number>();
  for (const [service, containers] of byService) {
    const numbered = containers.map(({ Id, Labels, Names }) => ({
      id: Id,
      number: Labels?.[COMPOSE_LABELS.number],
      name: Names?.[0],
    }));
    const { slots, garbled } = seat(numbered);
    for (const [id, slot] of slots) all.set(id, slot);
    for (const { id, number } of garbled) {
      if (!look.memory.isFirstTold(id)) continue;
      look.log.warn(
        { service, container: id.slice(0, 12), number, slot: slots.get(id) },
        "a container's number cannot be read; it counts in this slot",
      );
    }
  }
  return all;
}

function replacedByCompose(listed: readonly ListedContainer[], nowMs: number): Succession {
  const byService = Map.groupBy(listed, ({ Labels }) => Labels?.[COMPOSE_LABELS.service]);
  const all = [...byService.values()].map((containers) =>
    succession(
      containers.map(({ Id, Labels, Created }) => ({
        id: Id,
        number: Labels?.[COMPOSE_LABELS.number],
        isReplacement: Labels?.[COMPOSE_LABELS.replace] !== undefined,
        createdAtMs: (Created ?? 0) * SECOND_MS,
      })),
      nowMs,
    ),
  );
  return {
    coming: new Set(all.flatMap(({ coming }) => [...coming])),
    going: new Set(all.flatMap(({ going }) => [...going])),
  };
}

function whileReplaced(replica: ObservedReplica, { coming, going }: Succession): ObservedReplica {
  if (going.has(replica.id)) return { ...replica, state: "stopping" };
  if (coming.has(replica.id) && replica.state === "created") return { ...replica, state: "starting" };
  return replica;
}

async function imagesOf(look: Look, projects: readonly Project[]): Promise<string[]> {
  const references = new Set(
    projects.flatMap(({ services }) => services.flatMap(({ template: { image } }) => image ?? [])),
  );
  const found = await mapConcurrent([...references], CONCURRENCY, async (reference) => {
    const asking = knownImageId(look, reference, look.signal);
    const id = await orElse(look, `image ${reference}`, asking, undefined);
    return id === undefined ? [] : [reference];
  });
  return found.flat();
}

function namesOf(projects: readonly Project[], kind: "networks" | "volumes"): string[] {
  return [...new Set(projects.flatMap((project) => project[kind].map(({ name }) => name)))];
}

/** What the engine refuses to show is missing from the picture; an engine that does not answer gives no picture. */
async function orElse<T>(look: Look, what: string, asking: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    if (!isFlyballError(error) || error.code !== "ENGINE_REFUSED") throw error;
    look.missed(what, error);
    return otherwise;
  }
}
