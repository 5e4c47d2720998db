import type { ObservedReplica, Project, Resources, Service } from "../../core/types.ts";
import { type UpdatePolicy, updatePolicy } from "../rollout/policy.ts";
import { isOld, isProven, type Rollout, settledRollout } from "../rollout/rollout.ts";
import { cloneSource } from "./clone-source.ts";
import type { Planning } from "./planning.ts";

/** One service as the parts of its planning see it. */
export class ServiceScene {
  readonly planning: Planning;
  readonly project: Project;
  readonly service: Service;
  readonly wanted: number;
  /** By slot: those that are not on their way out and that no running action works on. */
  readonly free: readonly ObservedReplica[];
  /** The replica that new ones are copied from; absent: they are made from the template. */
  readonly cloneOf: ObservedReplica | undefined;
  readonly rollout: Rollout;
  /** Replicas that this plan makes beside those that are there. */
  coming = 0;
  /** Replicas that this plan takes away. */
  going = 0;
  readonly #taken = new Set<number>();
  #policy: UpdatePolicy | undefined;

  constructor(planning: Planning, project: Project, service: Service, wanted: number) {
    const { seen, input } = planning;
    const all = seen.of(service);
    this.planning = planning;
    this.project = project;
    this.service = service;
    this.wanted = wanted;
    this.free = all.filter(({ slot, state }) => state !== "stopping" && !seen.isBusy(service.id, slot));
    this.cloneOf = cloneSource(all);
    this.rollout = input.rollouts?.get(service.id) ?? settledRollout(service);
    for (const { slot } of all) this.#taken.add(slot);
  }

  get policy(): UpdatePolicy {
    this.#policy ??= updatePolicy(this.service, this.wanted, this.rollout.kind, this.#lack());
    return this.#policy;
  }

  get arriving(): number {
    return this.planning.seen.arriving(this.service.id).size;
  }

  get leaving(): number {
    return this.planning.seen.leaving(this.service.id).size;
  }

  /** To be replaced by one of the new template. What compose made, and its copies, follow compose's definition. */
  isOld(replica: ObservedReplica): boolean {
    return this.cloneOf === undefined && isOld(replica, this.rollout.to.hash);
  }

  /** A new replica that an old one may make room for: it has proven healthy, or its failure is tolerated. */
  isSettled(replica: ObservedReplica): boolean {
    const { rollout } = this;
    return (rollout.state === "updating" && rollout.failed.includes(replica.slot)) || this.isProven(replica);
  }

  /** Ready, and for long enough to be relied on. */
  isProven(replica: ObservedReplica): boolean {
    const { service, policy, planning } = this;
    return isProven(replica, service.template.restart, policy.monitorMs, planning.input.observed.atMs);
  }

  /** What the replica has reserved, which is its own template's. */
  resourcesOf({ templateHash }: ObservedReplica): Resources {
    const { from } = this.rollout;
    return from !== undefined && from.hash === templateHash
      ? from.template.resources
      : this.service.template.resources;
  }

  /** What one replica more lacks. One that stands beside the others already has found its room. */
  #lack(): string | undefined {
    if (this.free.length + this.arriving > this.wanted) return undefined;
    return this.planning.ledger?.lacks(this.rollout.to.template.resources);
  }

  /** The lowest free slot, which from then on is taken. */
  takeSlot(): number {
    let slot = 1;
    while (this.#taken.has(slot) || this.planning.seen.isBusy(this.service.id, slot)) slot += 1;
    this.#taken.add(slot);
    return slot;
  }
}
