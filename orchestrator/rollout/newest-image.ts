import { createHash } from "node:crypto";
import type { ObservedReplica } from "../../core/types.ts";
import { isOld, type Revision } from "./rollout.ts";

/** What has become of a revision whose image's name stands for another image by now. */
export interface MovedOn {
  /** The same definition with the image that its name stands for now. */
  readonly next: Omit<Revision, "number">;
  /** The revision with the image that its replicas have, whatever its name stands for. */
  readonly pinned: Revision;
}

/** Undefined when all replicas of the revision have that image. */
export function movedOn(
  revision: Revision,
  imageId: string,
  replicas: readonly ObservedReplica[],
): MovedOn | undefined {
  const other = replicas.find(
    (replica) =>
      replica.state !== "stopping" &&
      !isOld(replica, revision.hash) &&
      replica.imageId !== undefined &&
      replica.imageId !== imageId,
  );
  if (other?.imageId === undefined) return undefined;
  const { template, definitionHash = revision.hash } = revision;
  const hash = createHash("sha256").update(`${definitionHash} ${imageId}`).digest("hex").slice(0, 32);
  return {
    next: { hash, template, definitionHash },
    pinned: { ...revision, template: { ...template, image: other.imageId } },
  };
}
