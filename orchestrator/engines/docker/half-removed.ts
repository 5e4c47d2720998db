import type { Clock } from "../../../core/clock.ts";
import { messageOf } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { ObservedReplica, ReplicaId } from "../../../core/types.ts";
import { MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import { OWNER_LABELS } from "../../engine.ts";
import { inspectContainer, removeContainer } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import { isBeingRemoved, isGone } from "./errors.ts";

export interface HalfRemovedParts {
  readonly connection: DockerConnection;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Those that we are stopping at this moment. */
  readonly stopping: ReadonlySet<ReplicaId>;
}

const FIRST_RETRY_MS = SECOND_MS;
const LONGEST_RETRY_MS = MINUTE_MS;

interface Try {
  readonly nextAtMs: number;
  readonly delayMs: number;
}

/**
 * Removals that the engine began for us and did not finish, because it died in the middle or something was busy: it calls such
 * a container dead, starts it never again, and leaves the rest to whoever asked. So it is asked again, with growing pauses.
 */
export class HalfRemoved {
  readonly #parts: HalfRemovedParts;
  readonly #tries = new Map<ReplicaId, Try>();

  constructor(parts: HalfRemovedParts) {
    this.#parts = parts;
  }

  /** To be called with everything that was seen. */
  look(replicas: readonly ObservedReplica[]): void {
    const nowMs = this.#parts.clock.monotonicMs();
    const going = replicas.filter(
      ({ id, state, origin }) =>
        state === "stopping" && origin === "flyball" && !this.#parts.stopping.has(id),
    );
    const known = new Set(going.map(({ id }) => id));
    for (const id of this.#tries.keys()) if (!known.has(id)) this.#tries.delete(id);
    for (const id of known) {
      const { nextAtMs, delayMs } = this.#tries.get(id) ?? { nextAtMs: nowMs, delayMs: FIRST_RETRY_MS };
      if (nowMs < nextAtMs) continue;
      this.#tries.set(id, { nextAtMs: nowMs + delayMs, delayMs: Math.min(2 * delayMs, LONGEST_RETRY_MS) });
      void this.#finish(id);
    }
  }

  async #finish(id: ReplicaId): Promise<void> {
    const { connection, instanceId, log } = this.#parts;
    const about = { container: id.slice(0, 12) };
    try {
      const { State, Config } = await inspectContainer(connection, id, {});
      if (State.Status !== "dead" || Config.Labels?.[OWNER_LABELS.owner] !== instanceId) return;
      await removeContainer(connection, id, true, {});
      log.info(about, "a removal that the engine had left half done was finished");
    } catch (error) {
      if (isGone(error) || isBeingRemoved(error)) return;
      log.warn({ ...about, error: messageOf(error) }, "a half removed container could not be removed");
    }
  }
}
