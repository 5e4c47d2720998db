import type { Clock } from "../../../core/clock.ts";
import { imageIdOf } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import type { Memory } from "./memory.ts";

export interface ImageParts {
  readonly connection: DockerConnection;
  readonly memory: Memory;
  readonly clock: Clock;
}

/**
 * The id that an image's name stands for, as far as it is remembered asked for only once; undefined when it stands
 * for none. Engines read an image's whole configuration to say it, and many replicas are made from one image.
 */
export async function knownImageId(
  { connection, memory, clock }: ImageParts,
  reference: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const remembered = memory.imageId(reference, clock.nowMs());
  if (remembered !== undefined) return remembered;
  const { epoch } = memory;
  const id = await imageIdOf(connection, reference, { signal });
  if (id !== undefined) memory.keepImage(reference, id, epoch, clock.nowMs());
  return id;
}
