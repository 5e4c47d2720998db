import { isFlyballError } from "../../core/errors.ts";
import type { Store } from "../../core/store.ts";
import type { Action, ObservedReplica, Project, Service, UpdateRequest } from "../../core/types.ts";
import { InFlightWork } from "../../orchestrator/in-flight.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import type { TrafficOf } from "../../orchestrator/rollout/evidence.ts";
import { Rollouts } from "../../orchestrator/rollout/rollouts.ts";
import type { TrialRequest } from "../../orchestrator/rollout/trial.ts";
import { NOW_MS, observed, project, service, template } from "../orchestrator/builders.ts";

/**
 * How replicas of a template fare: `good` · `exits` at once · `dies` ready, and ended before it was ready for long
 * enough · `ails` becomes unhealthy · `hangs` is never ready.
 */
export type Fate = "good" | "exits" | "dies" | "ails" | "hangs";

export const MONITOR_MS = 3_000;
const TICK_MS = 1_000;
const DEADLINE_MS = 20_000;
/** Long enough to be seen ready, and not for long enough. */
const SEEN_MS = 2_000;

interface Running {
  readonly action: Action;
  done: boolean;
}

interface Body {
  readonly slot: number;
  readonly hash: string;
  state: ObservedReplica["state"];
  startedAtMs: number;
  readonly id: string;
}

/** One service on an engine of the test's own, with the real planner, the real rollouts and the real work in flight. */
export class World {
  nowMs = NOW_MS;
  wanted: number;
  readonly bodies = new Map<number, Body>();
  readonly #fates = new Map<string, Fate>();
  readonly #store: Store;
  readonly #update: UpdateRequest;
  #rollouts: Rollouts;
  #inFlight = new InFlightWork();
  #running: Running[] = [];
  #file: Service;
  #made = 0;
  /** Slots that two running actions worked on at once. */
  readonly clashes: string[] = [];
  /** What the balancer counts, by the replica's id. */
  trafficOf: TrafficOf | undefined;

  constructor(store: Store, wanted: number, update: UpdateRequest) {
    this.#store = store;
    this.wanted = wanted;
    this.#update = { monitorMs: MONITOR_MS, progressDeadlineMs: DEADLINE_MS, ...update };
    this.#rollouts = new Rollouts(store);
    this.#rollouts.erase("shop");
    this.#rollouts = new Rollouts(store);
    this.#file = this.#service("v0");
    this.deploy("v0", "good");
    for (let slot = 1; slot <= wanted; slot += 1) this.#start(this.#body(slot, "v0"));
    this.nowMs += MONITOR_MS;
    this.#advance();
  }

  get rollout() {
    const rollout = this.#rollouts.all.get("shop_web");
    if (rollout === undefined) throw new Error("there is no rollout");
    return rollout;
  }

  get isBusy(): boolean {
    return this.#running.length > 0;
  }

  get hashes(): readonly string[] {
    return [...this.bodies.values()].map(({ hash }) => hash);
  }

  /** Replicas of a template that has yet to prove healthy. */
  get unproven(): number {
    const { to, trusted } = this.rollout;
    return trusted ? 0 : this.hashes.filter((hash) => hash === to.hash).length;
  }

  /** Replicas of good templates that serve. */
  get serving(): number {
    const good = ({ hash, state }: Body) => this.#fates.get(hash) === "good" && state === "running";
    return [...this.bodies.values()].filter(good).length;
  }

  fateOf(hash: string): Fate {
    return this.#fates.get(hash) ?? "good";
  }

  /** @throws FlyballError when a trial is asked for that cannot be */
  deploy(hash: string, fate: Fate, trial?: TrialRequest): void {
    const file = this.#service(hash);
    const wanted = project([file]);
    const rollouts = this.#rollouts.withProject(wanted, () => this.#replicas(), this.nowMs, trial);
    this.#fates.set(hash, fate);
    this.#file = file;
    this.#store.transaction(() => this.#rollouts.save(wanted, rollouts, this.nowMs));
    this.#rollouts.adopt(wanted, rollouts);
  }

  /** Somebody asks to go back; false when there is nothing to go back to. */
  rollback(): boolean {
    return this.#did(() => this.#rollouts.rollback(this.#file, this.nowMs));
  }

  /** False when nothing is on trial. */
  promote(weightRatio?: number): boolean {
    return this.#did(() => this.#rollouts.promote(this.#file, weightRatio, this.nowMs));
  }

  /** False when nothing is on trial. */
  abort(): boolean {
    return this.#did(() => this.#rollouts.abort(this.#file, this.nowMs));
  }

  #did(what: () => unknown): boolean {
    try {
      what();
      return true;
    } catch (error) {
      if (isFlyballError(error) && error.code === "NOT_FOUND") return false;
      throw error;
    }
  }

  /** The daemon is killed and comes back: what was under way stays as far as it got. */
  crash(): void {
    this.#inFlight = new InFlightWork();
    this.#running = [];
    this.#rollouts = new Rollouts(this.#store);
  }

  /** A pass; then so many of the running actions end, and time goes on. */
  tick(endings: number): readonly Action[] {
    this.#live();
    this.#advance();
    const { actions } = this.plan();
    this.#inFlight.add({ actions, holds: [] });
    const before = this.#running.length;
    this.#running.push(...actions.map((action) => ({ action, done: false })));
    this.#noteClashes(before);
    for (let ended = 0; ended < endings; ended += 1) {
      const next = this.#running.find(({ action, done }) => !done && this.#isReady(action, actions));
      if (next === undefined) break;
      this.#perform(next.action);
      next.done = true;
      this.#inFlight.finish(next.action);
    }
    this.#running = this.#running.filter(({ done }) => !done);
    this.nowMs += TICK_MS;
    return actions;
  }

  plan() {
    const wanted = this.#rollouts.resolve(this.#project());
    return reconcile({
      nowMs: this.nowMs,
      desired: [{ project: wanted, replicas: new Map([["shop_web", this.wanted]]), removing: false }],
      observed: observed(this.#replicas(), { atMs: this.nowMs }),
      inFlight: this.#inFlight.snapshot(),
      attempts: new Map(),
      rollouts: this.#rollouts.all,
    });
  }

  /** Actions of one plan are numbered from 0: those of earlier plans that still run come first in the list. */
  #isReady(action: Action, newest: readonly Action[]): boolean {
    const mine = newest.includes(action) ? newest : undefined;
    return action.after.every((id) => {
      const needed = mine?.[id];
      return needed === undefined
        ? !this.#running.some(
            (one) =>
              !one.done && one.action.id === id && sameSlot(one.action, action) && one.action !== action,
          )
        : this.#running.some((one) => one.action === needed && one.done);
    });
  }

  #noteClashes(before: number): void {
    const slots = new Set(this.#running.slice(0, before).map(({ action }) => slotOf(action)));
    for (const { action } of this.#running.slice(before)) {
      if (slots.has(slotOf(action))) this.clashes.push(`${action.kind} ${slotOf(action)}`);
    }
  }

  #perform(action: Action): void {
    if (!("slot" in action)) return;
    const body = this.bodies.get(action.slot);
    switch (action.kind) {
      case "create-replica":
        if (body !== undefined) throw new Error(`slot ${action.slot} is taken`);
        this.#body(action.slot, action.templateHash ?? "?");
        return;
      case "start-replica":
        if (body !== undefined) this.#start(body);
        return;
      case "stop-replica":
        if (body !== undefined) body.state = "exited";
        return;
      case "remove-replica":
        this.bodies.delete(action.slot);
        return;
    }
  }

  #body(slot: number, hash: string): Body {
    this.#made += 1;
    const body: Body = { slot, hash, state: "created", startedAtMs: this.nowMs, id: `web-${this.#made}` };
    this.bodies.set(slot, body);
    return body;
  }

  #start(body: Body): void {
    const fate = this.fateOf(body.hash);
    body.startedAtMs = this.nowMs;
    body.state = fate === "exits" ? "exited" : fate === "hangs" ? "starting" : "running";
  }

  /** What time does to replicas. */
  #live(): void {
    for (const body of this.bodies.values()) {
      const fate = this.fateOf(body.hash);
      if (body.state !== "running" || this.nowMs - body.startedAtMs < SEEN_MS) continue;
      if (fate === "dies") body.state = "exited";
      if (fate === "ails") body.state = "unhealthy";
    }
  }

  #advance(): void {
    this.#rollouts.advance(
      [this.#rollouts.resolve(this.#project()).services[0] ?? this.#file],
      {
        replicasOf: () => this.#replicas(),
        wanted: () => this.wanted,
        isExcused: ({ slot }) => this.#running.some(({ action }) => slotOf(action) === slot),
        ...(this.trafficOf === undefined ? {} : { trafficOf: this.trafficOf }),
      },
      this.nowMs,
    );
  }

  #replicas(): readonly ObservedReplica[] {
    return [...this.bodies.values()].map(({ slot, hash, state, startedAtMs, id }) => ({
      id,
      project: "shop",
      service: "shop_web",
      slot,
      name: `shop-web-${slot}`,
      state,
      origin: "flyball",
      templateHash: hash,
      startedAtMs,
      ...(state === "running" ? { readyAtMs: startedAtMs } : {}),
      ...(state === "exited" ? { exitCode: 1 } : {}),
      endpoints: [],
      notEnforced: [],
    }));
  }

  #service(hash: string): Service {
    return service("web", {
      template: template({ environment: { VERSION: hash } }),
      templateHash: hash,
      updates: { update: this.#update, rollback: this.#update },
    });
  }

  #project(): Project {
    return project([this.#file]);
  }
}

function slotOf(action: Action): number | undefined {
  return "slot" in action ? action.slot : undefined;
}

function sameSlot(a: Action, b: Action): boolean {
  return slotOf(a) === slotOf(b);
}
