import type { ReplicaId } from "../core/types.ts";
import type { Engine } from "./engine.ts";
import { lastOf } from "./scene/bounds.ts";
import { maskText, secretsIn } from "./scene/mask.ts";

const LOG_LINES = 1_000;
const LOG_BYTES = 64 * 2 ** 10;

/**
 * The end of what a replica, or a task, wrote: 64 KiB and 1,000 lines at most, without the secrets of its environment.
 * @throws Error that says why it is not to be had
 */
export async function replicaLog(
  engine: Pick<Engine, "scene">,
  replica: ReplicaId,
  signal: AbortSignal,
  lines = LOG_LINES,
): Promise<string> {
  const { log, inspect, missing } = await engine.scene(replica, { lines, bytes: LOG_BYTES }, signal);
  // Without the environment nobody knows what of it is secret.
  if (log === undefined || inspect === undefined) throw new Error(missing.join("; "));
  return lastOf(maskText(log, secretsIn(inspect)), lines, LOG_BYTES);
}
