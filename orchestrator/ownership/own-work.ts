import type { Action, Plan, ReplicaId } from "../../core/types.ts";

/** The replicas that our own actions take away, from their planning until they are seen to be gone. */
export class OwnWork {
  readonly #replicas: Set<ReplicaId>;
  /** What a daemon before this one had begun. */
  readonly #inherited: Set<ReplicaId>;

  constructor(inherited: ReadonlySet<ReplicaId> = new Set()) {
    this.#replicas = new Set(inherited);
    this.#inherited = new Set(inherited);
  }

  get replicas(): ReadonlySet<ReplicaId> {
    return this.#replicas;
  }

  add(plan: Plan): void {
    for (const action of plan.actions) {
      if (takesAway(action)) this.#add(action.replica);
      // It is to run: whoever takes it away from now on is somebody else.
      else if (action.kind === "start-replica" && action.replica !== undefined)
        this.#replicas.delete(action.replica);
    }
  }

  ended(action: Action, outcome: "done" | "failed" | "skipped"): void {
    if (outcome !== "done" && takesAway(action)) this.#replicas.delete(action.replica);
  }

  /** What was begun by the daemon before, and not again by this one, is no longer on its way. */
  forgetInherited(): void {
    for (const replica of this.#inherited) this.#replicas.delete(replica);
    this.#inherited.clear();
  }

  /** Keeps those of which it is not known yet that they are gone. */
  keepOnly(present: ReadonlySet<ReplicaId>): void {
    for (const replica of this.#replicas) if (!present.has(replica)) this.#replicas.delete(replica);
  }

  #add(replica: ReplicaId): void {
    this.#replicas.add(replica);
    this.#inherited.delete(replica);
  }
}

function takesAway(action: Action): action is Extract<Action, { kind: "stop-replica" | "remove-replica" }> {
  return action.kind === "stop-replica" || action.kind === "remove-replica";
}
