import { FlyballError } from "../../../core/errors.ts";
import { serviceIdOf } from "../../../core/ids.ts";
import type { Project } from "../../../core/types.ts";
import { SECOND_MS } from "../../../core/units.ts";
import { OWNER_LABELS } from "../../engine.ts";
import type { Found, Use } from "../../housekeeping/found.ts";
import { isAnonymousVolume } from "./anonymous-volume.ts";
import { inspectContainer, listContainers, removeContainer, stopContainer } from "./api.ts";
import { mapConcurrent } from "./concurrent.ts";
import type { DockerConnection } from "./connect.ts";
import {
  diskUse,
  imageTags,
  listAllContainers,
  listUntaggedImages,
  listUnusedVolumes,
  removeImage,
  removeVolume,
} from "./disk-api.ts";
import { isGone, statusOf } from "./errors.ts";
import { COMPOSE_LABELS } from "./labels.ts";
import { instantOf } from "./replica.ts";
import type { DiskUse, ListedContainer, ListedImage, ListedVolume } from "./wire.ts";

const CONCURRENCY = 4;
/** Newer engines mark an anonymous volume themselves. */
const ANONYMOUS_LABEL = "com.docker.volume.anonymous";
const ALIVE: ReadonlySet<string | undefined> = new Set(["running", "paused", "restarting"]);

/** The anonymous volumes and the images that containers of these projects have, whoever made them. */
export async function uses(
  connection: DockerConnection,
  projects: readonly Project[],
  signal: AbortSignal,
): Promise<Use[]> {
  const found = await mapConcurrent(projects, CONCURRENCY, async ({ name: project }) => {
    const listed = await listContainers(connection, project, { signal });
    return listed.flatMap(({ Labels, ImageID, Mounts }): Use[] => {
      const name = Labels?.[COMPOSE_LABELS.service];
      if (name === undefined) return [];
      const service = serviceIdOf(project, name);
      const volumes = (Mounts ?? []).flatMap(({ Type, Name }) =>
        Type === "volume" && Name !== undefined && isAnonymousVolume(Name) ? [Name] : [],
      );
      return [
        ...volumes.map((id) => ({ kind: "volume", id, service }) as const),
        ...(ImageID === undefined ? [] : [{ kind: "image", id: ImageID, service } as const]),
      ];
    });
  });
  return found.flat();
}

/** Containers with the mark of a Flyball, anonymous volumes that no container has, and images without a tag. */
export async function inventory(connection: DockerConnection, signal: AbortSignal): Promise<Found[]> {
  const [containers, volumes, images, sizes] = await Promise.all([
    listAllContainers(connection, { signal }),
    listUnusedVolumes(connection, { signal }),
    listUntaggedImages(connection, { signal }),
    // Sizes are for people: without them the rest still holds.
    diskUse(connection, { signal }).catch((): DiskUse => ({})),
  ]);
  signal.throwIfAborted();
  const used = new Set(containers.map(({ ImageID }) => ImageID));
  return [
    ...containers
      .filter(({ Labels }) => Labels?.[OWNER_LABELS.owner] !== undefined)
      .map((one) => foundContainer(one, sizes)),
    ...volumes.filter(({ Name }) => isAnonymousVolume(Name)).map((one) => foundVolume(one, sizes)),
    ...images.map((one) => foundImage(one, used, sizes)),
  ];
}

/** @throws FlyballError ENGINE_REFUSED when it is used again, or is another's by now */
export async function discard(
  connection: DockerConnection,
  found: Found,
  signal: AbortSignal,
): Promise<void> {
  const { kind, id } = found;
  try {
    if (kind === "replica") await discardContainer(connection, found, signal);
    else if (kind === "volume") await removeVolume(connection, id, { signal });
    else if (kind === "image") {
      // Without this, the engine would take the only tag of an image for a part of it.
      const tags = await imageTags(connection, id, { signal });
      if (tags.length > 0) throw changed(found, `it has the tag ${tags.join(", ")} by now`);
      await removeImage(connection, id, { signal });
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function discardContainer(
  connection: DockerConnection,
  found: Found,
  signal: AbortSignal,
): Promise<void> {
  const { Config, State } = await inspectContainer(connection, found.id, { signal });
  if (found.owner === undefined || Config.Labels?.[OWNER_LABELS.owner] !== found.owner) {
    throw changed(found, "it is not ours");
  }
  if (found.unstarted === true && State.Status !== "created") throw changed(found, "it was started by now");
  if (ALIVE.has(State.Status)) {
    await stopContainer(connection, found.id, undefined, { signal }).catch((error: unknown) => {
      if (statusOf(error) !== 304) throw error;
    });
  }
  await removeContainer(connection, found.id, false, { signal });
}

function changed({ name }: Found, why: string): FlyballError {
  return new FlyballError("ENGINE_REFUSED", `${name} stays: ${why}`);
}

function foundContainer(container: ListedContainer, sizes: DiskUse): Found {
  const labels = container.Labels ?? {};
  const owner = labels[OWNER_LABELS.owner];
  const project = labels[OWNER_LABELS.project];
  const service = labels[OWNER_LABELS.service];
  const bytes = sizes.Containers?.find(({ Id }) => Id === container.Id)?.SizeRw;
  return {
    kind: "replica",
    id: container.Id,
    name: container.Names?.[0]?.replace(/^\//u, "") ?? container.Id.slice(0, 12),
    ...(sizes.Containers === undefined ? {} : { bytes: bytes ?? 0 }),
    ...(container.Created === undefined ? {} : { createdAtMs: container.Created * SECOND_MS }),
    inUse: ALIVE.has(container.State),
    isNamed: false,
    ...(owner === undefined ? {} : { owner }),
    ...(project === undefined ? {} : { project }),
    ...(project === undefined || service === undefined ? {} : { service: serviceIdOf(project, service) }),
    unstarted: container.State === "created",
  };
}

function foundVolume({ Name, Labels, CreatedAt }: ListedVolume, sizes: DiskUse): Found {
  const bytes = sizes.Volumes?.find((volume) => volume.Name === Name)?.UsageData?.Size;
  const createdAtMs = instantOf(CreatedAt);
  return {
    kind: "volume",
    id: Name,
    name: Name.slice(0, 12),
    ...(bytes === undefined || bytes < 0 ? {} : { bytes }),
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
    inUse: false,
    isNamed: Object.keys(Labels ?? {}).some((label) => label !== ANONYMOUS_LABEL),
  };
}

function foundImage(image: ListedImage, used: ReadonlySet<string | undefined>, sizes: DiskUse): Found {
  const { Id, RepoTags, RepoDigests, Created } = image;
  const { Size, SharedSize = 0 } = sizes.Images?.find((one) => one.Id === Id) ?? image;
  const repositories = (RepoDigests ?? []).map((digest) => digest.split("@", 1)[0] ?? "");
  return {
    kind: "image",
    id: Id,
    name: [...repositories.filter(isName), Id.replace("sha256:", "").slice(0, 12)].join(" "),
    ...(Size === undefined ? {} : { bytes: Size - Math.max(0, SharedSize) }),
    ...(Created === undefined ? {} : { createdAtMs: Created * SECOND_MS }),
    inUse: used.has(Id),
    isNamed: (RepoTags ?? []).some(isName),
    repositories,
  };
}

/** Older engines write a name that is missing out. */
function isName(text: string): boolean {
  return !text.startsWith("<none>");
}
