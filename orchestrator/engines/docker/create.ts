import { FlyballError, messageOf } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { Project, ReplicaId } from "../../../core/types.ts";
import { OWNER_LABELS } from "../../engine.ts";
import { connectNetwork, createContainer, inspectContainer, listContainers, removeContainer } from "./api.ts";
import { planFromClone } from "./clone-body.ts";
import { type DockerConnection, isAtLeast } from "./connect.ts";
import { isBeingRemoved, isGone, isNameTaken } from "./errors.ts";
import { type ImageParts, knownImageId } from "./images.ts";
import { injectedFiles, putFiles } from "./injected-files.ts";
import { CLONED_FROM_LABEL, COMPOSE_LABELS, type ReplicaIdentity, taskIdentityOf } from "./labels.ts";
import { planFromTemplate, type ResolvedNames } from "./template-body.ts";
import type { ContainerPlan, InspectedContainer } from "./wire.ts";

/** Before it, a container is created in one network and joins the others one by one. */
const ALL_NETWORKS_AT_ONCE_API = "1.44";

export interface CreateParts extends ImageParts {
  readonly log: Log;
}

/** What makes a replica: the container, and the files that have to be in it before it starts. */
interface Recipe {
  readonly plan: ContainerPlan;
  readonly files?: { readonly from: ReplicaId; readonly paths: readonly string[] };
}

/** @param cloneOf absent: from the service's template */
export async function createReplica(
  parts: CreateParts,
  identity: ReplicaIdentity,
  cloneOf: ReplicaId | undefined,
  signal: AbortSignal,
): Promise<ReplicaId> {
  const { connection } = parts;
  const recipe = await recipeFor(parts, identity, cloneOf, signal);
  const id = await createOrFind(connection, recipe.plan, identity, signal);
  try {
    await complete(connection, id, recipe, signal);
    return id;
  } catch (error) {
    await removeContainer(connection, id, false, {}).catch(() => {});
    throw error;
  }
}

/** Does what a creation that was cut short has left out, before the container starts for the first time. */
export async function finishCreation(
  parts: CreateParts,
  identity: ReplicaIdentity,
  id: ReplicaId,
  signal: AbortSignal,
): Promise<void> {
  const container = await inspectContainer(parts.connection, id, { signal });
  const labels = container.Config.Labels ?? {};
  if (!isUnstarted(container) || labels[OWNER_LABELS.owner] === undefined) return;
  const recipe = await recipeFor(parts, identity, labels[CLONED_FROM_LABEL], signal);
  await complete(parts.connection, id, recipe, signal);
}

async function recipeFor(
  parts: CreateParts,
  identity: ReplicaIdentity,
  cloneOf: ReplicaId | undefined,
  signal: AbortSignal,
): Promise<Recipe> {
  const { connection, log } = parts;
  if (cloneOf === undefined) {
    return { plan: planFromTemplate(identity, await resolveNames(parts, identity, signal)) };
  }
  const original = await inspectContainer(connection, cloneOf, { signal });
  const tag = original.Config.Image;
  const tagImageId = tag === undefined ? undefined : await knownImageId(parts, tag, signal);
  const { paths, unknown } = await injectedFiles(connection, original, signal);
  if (unknown > 0) {
    log.warn(
      { service: identity.service.id, slot: identity.slot, original: original.Name, unknown },
      "more files were added to the original than were looked at; configs among them are not in the clone",
    );
  }
  return { plan: planFromClone(original, identity, tagImageId), files: { from: cloneOf, paths } };
}

/** Whatever of it is there already stays as it is. */
async function complete(
  connection: DockerConnection,
  id: ReplicaId,
  { plan, files }: Recipe,
  signal: AbortSignal,
): Promise<void> {
  if (plan.seats.length > 1) {
    const joined = (await inspectContainer(connection, id, { signal })).NetworkSettings.Networks ?? {};
    for (const { network, endpoint } of plan.seats) {
      if (joined[network] === undefined) await connectNetwork(connection, network, id, endpoint, { signal });
    }
  }
  if (files !== undefined) await putFiles(connection, files.from, id, files.paths, signal);
}

/** Removes a container that never ran, when it is this daemon's; says nothing when the engine no longer answers. */
export async function discardUnstarted(
  { connection, log }: CreateParts,
  id: ReplicaId,
  instanceId: string,
): Promise<void> {
  // Without the caller's signal: what was begun is cleared away even when the daemon is told to stop.
  try {
    const container = await inspectContainer(connection, id, {});
    if (!isUnstarted(container) || container.Config.Labels?.[OWNER_LABELS.owner] !== instanceId) return;
    await removeContainer(connection, id, false, {});
  } catch (error) {
    if (!isGone(error) && !isBeingRemoved(error)) {
      log.warn(
        { container: id.slice(0, 12), error: messageOf(error) },
        "a half-made container could not be removed",
      );
    }
  }
}

async function createOrFind(
  connection: DockerConnection,
  { name, platform, body, seats }: ContainerPlan,
  identity: ReplicaIdentity,
  signal: AbortSignal,
): Promise<ReplicaId> {
  const atOnce = isAtLeast(connection.apiVersion, ALL_NETWORKS_AT_ONCE_API) ? seats : seats.slice(0, 1);
  const EndpointsConfig = Object.fromEntries(atOnce.map(({ network, endpoint }) => [network, endpoint]));
  try {
    const whole = { ...body, NetworkingConfig: { EndpointsConfig } };
    return await createContainer(connection, name, platform, whole, { signal });
  } catch (error) {
    const existing = isNameTaken(error) ? await madeEarlier(connection, name, identity, signal) : undefined;
    if (existing === undefined) throw error;
    return existing;
  }
}

/** The container of that name, when it is what an earlier attempt at the same replica made. */
async function madeEarlier(
  connection: DockerConnection,
  name: string,
  { project, service, slot, instanceId, task }: ReplicaIdentity,
  signal: AbortSignal,
): Promise<ReplicaId | undefined> {
  const container = await inspectContainer(connection, name, { signal });
  const labels = container.Config.Labels ?? {};
  const existing = taskIdentityOf(labels, instanceId);
  const isSame =
    isUnstarted(container) &&
    existing?.run === task?.run &&
    existing?.task === task?.task &&
    existing?.attempt === task?.attempt &&
    labels[OWNER_LABELS.owner] === instanceId &&
    labels[OWNER_LABELS.project] === project.name &&
    labels[OWNER_LABELS.service] === service.name &&
    labels[OWNER_LABELS.slot] === String(slot) &&
    labels[OWNER_LABELS.templateHash] === service.templateHash;
  return isSame ? container.Id : undefined;
}

/** `created` is also the state after a start that failed. */
function isUnstarted({ State }: InspectedContainer): boolean {
  return State.Status === "created";
}

async function resolveNames(
  parts: CreateParts,
  { project, service }: ReplicaIdentity,
  signal: AbortSignal,
): Promise<ResolvedNames> {
  const { image, networkMode, container } = service.template;
  if (image === undefined) {
    throw new FlyballError("ENGINE_UNSUPPORTED", `${service.id}: needs image: with the Docker engine`);
  }
  const imageId = await knownImageId(parts, image, signal);
  if (imageId === undefined) throw new FlyballError("ENGINE_REFUSED", `there is no image ${image} here`);
  const resolve = async (mode: string | undefined): Promise<string | undefined> =>
    mode?.startsWith("service:") === true
      ? `container:${await firstRunning(parts.connection, project, mode.slice("service:".length), signal)}`
      : mode;
  const modes = {
    networkMode: await resolve(networkMode),
    pidMode: await resolve(container.pidMode),
    ipcMode: await resolve(container.ipcMode),
  };
  return {
    imageId,
    ...(modes.networkMode === undefined ? {} : { networkMode: modes.networkMode }),
    ...(modes.pidMode === undefined ? {} : { pidMode: modes.pidMode }),
    ...(modes.ipcMode === undefined ? {} : { ipcMode: modes.ipcMode }),
  };
}

/** The running replica with the lowest number, whose namespace another service shares. */
async function firstRunning(
  connection: DockerConnection,
  project: Project,
  service: string,
  signal: AbortSignal,
): Promise<ReplicaId> {
  const listed = await listContainers(connection, project.name, { signal });
  const numberOf = (labels: Readonly<Record<string, string>> | null | undefined): number =>
    Number(labels?.[COMPOSE_LABELS.number] ?? Number.POSITIVE_INFINITY);
  const [first] = listed
    .filter(({ State, Labels }) => State === "running" && Labels?.[COMPOSE_LABELS.service] === service)
    .toSorted((a, b) => numberOf(a.Labels) - numberOf(b.Labels));
  if (first !== undefined) return first.Id;
  throw new FlyballError(
    "ENGINE_REFUSED",
    `${service} of ${project.name} has no running replica whose namespace could be shared`,
  );
}
