import type { Action, Plan, ReplicaId } from "../../core/types.ts";
import { MINUTE_MS } from "../../core/units.ts";

/** After this what may have been done was done, or was given up. */
const DOUBT_MS = MINUTE_MS;

/** The replicas that our own actions take away, from their planning until they are seen to be gone. */
export class OwnWork {
  readonly #replicas: Set<ReplicaId>;
  /**
   * Since when it is not known whether it was done: what a daemon before this one had begun, and what has failed, since the
   * engine may have done it all the same and only the answer was lost. Undefined: since the next look.
   */
  readonly #doubtful: Map<ReplicaId, number | undefined>;

  constructor(inherited: ReadonlySet<ReplicaId> = new Set()) {
    this.#replicas = new Set(inherited);
    this.#doubtful = new Map([...inherited].map((replica) => [replica, undefined]));
  }

  get replicas(): ReadonlySet<ReplicaId> {
    return this.#replicas;
  }

  add(plan: Plan): void {
    for (const action of plan.actions) {
      if (takesAway(action)) {
        this.#replicas.add(action.replica);
        this.#doubtful.delete(action.replica);
      }
      // It is to run: whoever takes it away from now on is somebody else.
      else if (action.kind === "start-replica" && action.replica !== undefined) this.#forget(action.replica);
    }
  }

  ended(action: Action, outcome: "done" | "failed" | "skipped"): void {
    if (!takesAway(action)) return;
    const { replica } = action;
    if (outcome === "failed") this.#doubtful.set(replica, undefined);
    else if (outcome === "skipped" && !this.#doubtful.has(replica)) this.#forget(replica);
  }

  /** What has been doubtful for long, and was not begun again, is no longer on its way. */
  forgetDoubtful(nowMs: number): void {
    for (const [replica, sinceMs = nowMs] of this.#doubtful) {
      if (nowMs - sinceMs > DOUBT_MS) this.#forget(replica);
      else this.#doubtful.set(replica, sinceMs);
    }
  }

  /** Keeps those of which it is not known yet that they are gone. */
  keepOnly(present: ReadonlySet<ReplicaId>): void {
    for (const replica of this.#replicas) if (!present.has(replica)) this.#forget(replica);
  }

  #forget(replica: ReplicaId): void {
    this.#replicas.delete(replica);
    this.#doubtful.delete(replica);
  }
}

function takesAway(action: Action): action is Extract<Action, { kind: "stop-replica" | "remove-replica" }> {
  return action.kind === "stop-replica" || action.kind === "remove-replica";
}
