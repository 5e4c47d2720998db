import type { Service, ServiceId } from "../core/types.ts";
import { sharesOf } from "./rollout/on-trial.ts";
import type { Rollout } from "./rollout/rollout.ts";
import type { Rollouts } from "./rollout/rollouts.ts";
import type { RolloutView } from "./rollout/view.ts";

/** Does it to the service's rollout, and tells how that is then. */
type Change = (id: ServiceId, change: (service: Service, nowMs: number) => Rollout) => RolloutView;

/** What people may say of templates that stand side by side, and what the balancer has to know of them. */
export class Trials {
  readonly #rollouts: Rollouts;
  readonly #change: Change;

  constructor(rollouts: Rollouts, change: Change) {
    this.#rollouts = rollouts;
    this.#change = change;
  }

  /** The new template it is; or, with a weight, the trial goes on with that. @throws FlyballError NOT_FOUND, OUT_OF_BOUNDS */
  promote(id: ServiceId, weightRatio?: number): RolloutView {
    return this.#change(id, (service, nowMs) => this.#rollouts.promote(service, weightRatio, nowMs));
  }

  /** The template before it is; the count stays. @throws FlyballError NOT_FOUND */
  abort(id: ServiceId): RolloutView {
    return this.#change(id, (service, nowMs) => this.#rollouts.abort(service, nowMs));
  }

  /** Of the service's requests, by the hash of the template; undefined: each replica takes what any other takes. */
  sharesOf(id: ServiceId): ReadonlyMap<string, number> | undefined {
    const rollout = this.#rollouts.all.get(id);
    return rollout === undefined ? undefined : sharesOf(rollout);
  }
}
