import type { ReplicaId } from "../../core/types.ts";
import type { Engine } from "../engine.ts";
import { lastOf } from "../scene/bounds.ts";
import { maskText, secretsIn } from "../scene/mask.ts";

const LOG_LINES = 1_000;
const LOG_BYTES = 64 * 2 ** 10;

/** The end of what a task wrote, without the secrets of its environment. @throws Error that says why it is not to be had */
export async function taskLog(
  engine: Pick<Engine, "scene">,
  replica: ReplicaId,
  signal: AbortSignal,
): Promise<string> {
  const { log, inspect, missing } = await engine.scene(
    replica,
    { lines: LOG_LINES, bytes: LOG_BYTES },
    signal,
  );
  // Without the environment nobody knows what of it is secret.
  if (log === undefined || inspect === undefined) throw new Error(missing.join("; "));
  return lastOf(maskText(log, secretsIn(inspect)), LOG_LINES, LOG_BYTES);
}
