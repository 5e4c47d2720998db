import type { Action, Plan } from "../core/types.ts";
import type { InFlight } from "./reconcile/input.ts";
import { removalKey, resourceKey, slotKey } from "./reconcile/keys.ts";

/** What running plans work on, so that no slot and no resource is worked on twice. */
export class InFlightWork {
  readonly #arriving = new Map<string, number>();
  readonly #leaving = new Map<string, number>();
  readonly #resources = new Map<string, number>();

  /** Takes up every slot and resource of the plan; each is let go when its last action ends. */
  add(plan: Plan): void {
    const arriving = new Set(plan.actions.filter(bringsReplica).map(keyOf));
    for (const action of plan.actions) {
      const key = keyOf(action);
      const kind = "slot" in action ? (arriving.has(key) ? this.#arriving : this.#leaving) : this.#resources;
      kind.set(key, (kind.get(key) ?? 0) + 1);
    }
  }

  finish(action: Action): void {
    const key = keyOf(action);
    for (const kind of [this.#arriving, this.#leaving, this.#resources]) {
      const count = kind.get(key);
      if (count === undefined) continue;
      if (count === 1) kind.delete(key);
      else kind.set(key, count - 1);
    }
  }

  snapshot(): InFlight {
    return {
      arriving: new Set(this.#arriving.keys()),
      leaving: new Set(this.#leaving.keys()),
      resources: new Set(this.#resources.keys()),
    };
  }
}

/** Busy in either. An action that ended while the engine was being observed may or may not show in what was seen. */
export function busyInEither(a: InFlight, b: InFlight): InFlight {
  return {
    arriving: a.arriving.union(b.arriving),
    leaving: a.leaving.union(b.leaving),
    resources: a.resources.union(b.resources),
  };
}

/** The key of what an action works on. */
export function keyOf(action: Action): string {
  switch (action.kind) {
    case "pull-image":
      return resourceKey("image", action.image);
    case "create-network":
    case "remove-network":
      return resourceKey("network", action.network);
    case "create-volume":
      return resourceKey("volume", action.volume);
    case "create-replica":
    case "start-replica":
    case "stop-replica":
    case "remove-replica":
      return slotKey(action.service, action.slot);
  }
}

/** The key under which failures of an action are counted. */
export function attemptKeyOf(action: Action): string {
  const takesAway =
    action.kind === "stop-replica" || action.kind === "remove-replica" || action.kind === "remove-network";
  return takesAway ? removalKey(keyOf(action)) : keyOf(action);
}

export function bringsReplica(action: Action): boolean {
  return action.kind === "create-replica" || action.kind === "start-replica";
}
