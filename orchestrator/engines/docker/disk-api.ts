import type { CallOptions, DockerConnection } from "./connect.ts";
import type { DiskUse, ListedContainer, ListedImage, ListedVolume } from "./wire.ts";

/** The calls that housekeeping makes, one function each; api.ts has the rest. */

/** Walks through every volume. */
const SIZES_DEADLINE_MS = 30_000;
const REMOVAL_DEADLINE_MS = 120_000;

export function listAllContainers(
  { docker, ask }: DockerConnection,
  options: CallOptions,
): Promise<readonly ListedContainer[]> {
  return ask(async (abortSignal) => {
    const answer: unknown = await docker.listContainers({ all: true, abortSignal });
    return answer as readonly ListedContainer[];
  }, options);
}

/** Volumes that no container has. */
export async function listUnusedVolumes(
  { docker, ask }: DockerConnection,
  options: CallOptions,
): Promise<readonly ListedVolume[]> {
  const filters = JSON.stringify({ dangling: ["true"] });
  const answer = await ask(async (abortSignal) => {
    const found: unknown = await docker.listVolumes({ filters, abortSignal });
    return found as { readonly Volumes?: readonly ListedVolume[] | null };
  }, options);
  return answer.Volumes ?? [];
}

/** Images without a tag that no other image builds on. */
export async function listUntaggedImages(
  { docker, ask }: DockerConnection,
  options: CallOptions,
): Promise<readonly ListedImage[]> {
  const filters = JSON.stringify({ dangling: ["true"] });
  return ask(async (abortSignal) => {
    const found: unknown = await docker.listImages({ filters, abortSignal });
    return found as readonly ListedImage[];
  }, options);
}

export function diskUse({ docker, ask }: DockerConnection, options: CallOptions): Promise<DiskUse> {
  // The type has no options here, the library has.
  const sizes = docker.df as (options: object) => Promise<unknown>;
  return ask(async (abortSignal) => (await sizes.call(docker, { abortSignal })) as DiskUse, {
    deadlineMs: SIZES_DEADLINE_MS,
    ...options,
  });
}

/** Refused by the engine while a container has it. */
export async function removeVolume(
  { docker, ask }: DockerConnection,
  name: string,
  options: CallOptions,
): Promise<void> {
  await ask(() => docker.getVolume(name).remove({ force: false }), {
    deadlineMs: REMOVAL_DEADLINE_MS,
    ...options,
  });
}

/** That one only, and not what it was built on. Refused by the engine while a container has it. */
export async function removeImage(
  { docker, ask }: DockerConnection,
  id: string,
  options: CallOptions,
): Promise<void> {
  await ask(() => docker.getImage(id).remove({ force: false, noprune: true }), {
    deadlineMs: REMOVAL_DEADLINE_MS,
    ...options,
  });
}

/** The names that the image has. */
export async function imageTags(
  { docker, ask }: DockerConnection,
  id: string,
  options: CallOptions,
): Promise<readonly string[]> {
  // The type has no signal here, the library has.
  const { RepoTags } = await ask(
    (abortSignal) => docker.getImage(id).inspect({ abortSignal } as object),
    options,
  );
  const tags: readonly string[] | null | undefined = RepoTags;
  return (tags ?? []).filter((tag) => !tag.startsWith("<none>"));
}
