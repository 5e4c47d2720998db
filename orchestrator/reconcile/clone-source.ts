import type { ObservedReplica } from "../../core/types.ts";

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
