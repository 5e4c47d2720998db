import type { Action } from "../core/types.ts";

/** The actions of a plan, each to be taken up when all that it waits for is done. Costs the same for each, however many there are. */
export class Agenda {
  readonly #waitsFor = new Map<number, number>();
  readonly #dependents = new Map<number, Action[]>();
  readonly #fresh: Queue;
  readonly #woken = new Queue([]);

  constructor(actions: readonly Action[]) {
    this.#fresh = new Queue(actions.filter(({ after }) => after.length === 0));
    for (const action of actions) {
      const after = new Set(action.after);
      this.#waitsFor.set(action.id, after.size);
      for (const id of after) {
        const known = this.#dependents.get(id);
        if (known === undefined) this.#dependents.set(id, [action]);
        else known.push(action);
      }
    }
  }

  /** What has begun is brought to its end before more is begun. */
  next(): Action | undefined {
    return this.#woken.take() ?? this.#fresh.take();
  }

  done(action: Action): void {
    for (const dependent of this.#dependents.get(action.id) ?? []) {
      const waitsFor = this.#waitsFor.get(dependent.id);
      if (waitsFor === undefined) continue;
      const left = waitsFor - 1;
      this.#waitsFor.set(dependent.id, left);
      if (left === 0) this.#woken.add(dependent);
    }
  }

  /** All that waits for it, directly or not, and is not to be done any more; each is named once. */
  failed(action: Action): readonly Action[] {
    const skipped = [...this.#giveUp(action)];
    // It grows while it is walked.
    for (const one of skipped) skipped.push(...this.#giveUp(one));
    return skipped;
  }

  #giveUp(cause: Action): readonly Action[] {
    const waiting = (this.#dependents.get(cause.id) ?? []).filter(({ id }) => this.#waitsFor.has(id));
    for (const { id } of waiting) this.#waitsFor.delete(id);
    return waiting;
  }
}

class Queue {
  readonly #actions: Action[];
  #taken = 0;

  constructor(actions: readonly Action[]) {
    this.#actions = [...actions];
  }

  add(action: Action): void {
    this.#actions.push(action);
  }

  take(): Action | undefined {
    const action = this.#actions[this.#taken];
    if (action !== undefined) this.#taken += 1;
    return action;
  }
}
