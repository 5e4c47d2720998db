import assert from "node:assert/strict";
import { createLog } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import type {
  Action,
  EngineKind,
  ObservedReplica,
  ObservedState,
  Project,
  ScalingPolicy,
} from "../../core/types.ts";
import { InFlightWork } from "../../orchestrator/in-flight.ts";
import type { AuditLine } from "../../orchestrator/ownership/audit.ts";
import { Ownership } from "../../orchestrator/ownership/ownership.ts";
import type { EngineSign } from "../../orchestrator/ownership/signs.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import {
  composeReplica,
  NOW_MS,
  network,
  observed,
  project,
  service,
  template,
} from "../orchestrator/builders.ts";

export const LEAST = 2;
export const MOST = 5;
const ID = "shop_web";
const NETWORK = "shop_default";
const PASS_MS = 1_000;
/** Passes after which everything that was begun has come to rest. */
const ENOUGH = 60;

type Policy = NonNullable<ScalingPolicy["onExternalChange"]>;

interface Body {
  readonly id: string;
  readonly slot: number;
  readonly origin: ObservedReplica["origin"];
  readonly createdAtMs: number;
  state: "created" | "running" | "stopping" | "exited";
}

interface Running {
  readonly action: Action;
  readonly plan: readonly Running[];
  done: boolean;
}

/** What the engine says of the end of a replica: in this order, whatever of it was done. */
type Word = "killed" | "forced" | "ended" | "stopped" | "removed";

const STOP: readonly Word[] = ["killed", "ended", "stopped"];
const BY_COMPOSE: readonly Word[] = [...STOP, "removed"];

function signOf(word: Word, replica: string): EngineSign {
  if (word === "killed" || word === "forced") return { kind: "killed", replica, byForce: word === "forced" };
  return { kind: word, replica };
}

/** One service on an engine of the test's own, with the real planner and the real account of who owns the count. */
export class World {
  nowMs = NOW_MS;
  desired: number;
  network = true;
  /** A container of a service that the files no longer name, which `docker compose down` leaves, with the network. */
  orphan = false;
  /** A start fails from now on, and what was made for it is taken away again. */
  startsFail = false;
  engine = "an engine of the test's own";
  kind: EngineKind = "docker";
  ownership: Ownership;
  readonly bodies = new Map<string, Body>();
  readonly #store: Store;
  readonly #project: Project;
  #inFlight = new InFlightWork();
  #running: Running[] = [];
  #late: EngineSign[] = [];
  #made = 0;

  constructor(store: Store, policy: Policy, count: number) {
    const scaling: ScalingPolicy = {
      rules: [{ metric: "cpu", max: 0.7, capacity: 1 }],
      kind: "step",
      minReplicas: LEAST,
      maxReplicas: MOST,
      step: 1,
      windowMs: 10_000,
      cooldownMs: 15_000,
      schedule: [],
      predict: false,
      dryRun: false,
      onExternalChange: policy,
    };
    const definition = template({ restart: { condition: "any", delayMs: 0 }, stopGraceMs: 1_000 });
    const web = service("web", { scaling, template: definition });
    this.#project = project([web], { networks: [network({ name: NETWORK })] });
    this.desired = count;
    this.#store = store;
    this.ownership = this.#begun();
    this.ownership.forget(this.#project);
    store.run("DELETE FROM audit");
    store.run("DELETE FROM own_work");
    this.ownership = this.#begun();
    for (let slot = 1; slot <= count; slot += 1)
      this.#add(slot, slot === 1 ? "compose" : "flyball", "running");
  }

  get audit(): readonly AuditLine[] {
    return this.ownership.audit.list(1_000, this.nowMs);
  }

  get holds(): readonly string[] {
    const { left } = this.ownership.planned([], this.#observed());
    return [...this.ownership.holds.map(({ reason }) => reason), ...(left?.values() ?? [])];
  }

  get alive(): readonly Body[] {
    return [...this.bodies.values()].filter(({ state }) => state === "running");
  }

  /** By rules, or by hand. */
  scale(to: number, by: "rules" | "hand" = "rules"): void {
    this.desired = to;
    this.ownership.asked(ID, by);
  }

  /** Looks, plans, and has as many of the running actions end as are given. */
  pass(endings: number): void {
    const inFlight = this.#inFlight.snapshot();
    const seen = this.#observed();
    const desired = () => [
      { project: this.#project, replicas: new Map([[ID, this.desired]]), removing: false },
    ];
    this.ownership.look({ nowMs: this.nowMs, observed: seen, desired: desired(), inFlight });
    const plan = reconcile({
      nowMs: this.nowMs,
      ...this.ownership.planned(desired(), seen),
      desired: this.ownership.planned(desired(), seen).desired,
      inFlight,
      attempts: new Map(),
    });
    this.#inFlight.add(plan);
    this.ownership.begun(plan);
    const running: Running[] = [];
    for (const action of plan.actions) running.push({ action, plan: running, done: false });
    this.#running.push(...running);
    for (let ended = 0; ended < endings; ended += 1) this.#endOne();
    for (const sign of this.#late.splice(0)) this.#sign(sign);
    this.nowMs += PASS_MS;
  }

  /** Until nothing more happens by itself. */
  rest(): void {
    for (let pass = 0; pass < ENOUGH; pass += 1) this.pass(ENOUGH);
  }

  /** `docker compose up --scale web=N`. */
  composeUp(count: number): void {
    const sorted = [...this.bodies.values()].sort((a, b) => a.slot - b.slot);
    for (const body of sorted.slice(count)) this.#take(body, BY_COMPOSE);
    for (const body of sorted.slice(0, count)) if (body.state !== "running") this.#begin(body);
    let next = Math.max(0, ...sorted.map(({ slot }) => slot));
    for (let missing = count - sorted.length; missing > 0; missing -= 1) {
      next += 1;
      const body = this.#add(next, "compose", "created");
      this.#sign({ kind: "created", replica: body.id, byCompose: true });
      this.#begin(body);
    }
  }

  composeDown(): void {
    for (const body of [...this.bodies.values()]) this.#take(body, BY_COMPOSE);
    this.network = this.orphan;
  }

  remove(index: number): void {
    const body = this.#any(index);
    if (body !== undefined) this.#take(body, ["forced", "ended", "removed"]);
  }

  /** As `remove` on an engine that takes long over it, and of which nothing was heard. */
  beginRemoval(index: number): void {
    const body = this.#any(index);
    if (body?.state === "running") body.state = "stopping";
  }

  stop(index: number): void {
    const body = this.#any(index);
    if (body?.state === "running") this.#take(body, STOP);
  }

  /** As `stop` by an engine whose word comes late: of three signs as many are heard at once, the others after the next pass. */
  stopToldLate(index: number, heardAtOnce: number): void {
    const body = this.#any(index);
    if (body?.state !== "running") return;
    this.#take(body, STOP.slice(0, heardAtOnce));
    this.#late.push(...STOP.slice(heardAtOnce).map((word) => signOf(word, body.id)));
  }

  /** As `docker compose up` of release 1 does of another definition: stops it and starts another in its place. */
  composeBeginsToRecreate(index: number): Body {
    const body = this.#any(index);
    assert.ok(body !== undefined, "there is nothing to recreate");
    this.#take(body, STOP);
    const next = this.#add(body.slot, "compose", "created");
    this.#sign({ kind: "created", replica: next.id, byCompose: true });
    this.#begin(next);
    return body;
  }

  /** And removes the one that it stopped, if nobody has started that. */
  composeEndsToRecreate(body: Body): void {
    assert.equal(body.state, "exited", "You cannot remove a running container");
    this.#take(body, ["removed"]);
  }

  start(index: number): void {
    const body = this.#any(index);
    if (body?.state === "exited") this.#begin(body);
  }

  crash(index: number): void {
    const body = this.#any(index);
    if (body?.state === "running") this.#take(body, ["ended"]);
  }

  /** A crash of which the engine never says a word. */
  crashUntold(index: number): void {
    const body = this.#any(index);
    if (body?.state === "running") this.#take(body, []);
  }

  /** `docker restart`, and `docker kill`, whose end is a crash as any. */
  restart(index: number): void {
    const body = this.#any(index);
    if (body?.state !== "running") return;
    this.#take(body, STOP);
    this.#begin(body);
  }

  kill(index: number): void {
    const body = this.#any(index);
    if (body?.state === "running") this.#take(body, ["forced", "ended"]);
  }

  /** It ends between two passes, with nothing under way, and knows what is in the store. */
  daemonRestarts(): void {
    this.#late = [];
    this.ownership = this.#begun();
  }

  /** It ends with whatever is under way half done, and knows what is in the store. */
  daemonKilled(): void {
    this.#running = [];
    this.#inFlight = new InFlightWork();
    this.daemonRestarts();
  }

  /** It stops everything, says so, and is heard again later. */
  engineRestarts(): void {
    for (const body of this.bodies.values()) if (body.state === "running") this.#take(body, STOP);
    this.#sign({ kind: "deaf" });
    this.#late = [];
    this.#sign({ kind: "listening" });
  }

  #begun(): Ownership {
    const engine = { kind: this.kind, description: this.engine };
    const options = { store: this.#store, log: createLog("silent"), engine };
    const ownership = new Ownership(options, (_id, to) => {
      this.desired = to;
    });
    ownership.hear({ kind: "listening" }, this.nowMs);
    return ownership;
  }

  #any(index: number): Body | undefined {
    const bodies = [...this.bodies.values()];
    return bodies[index % Math.max(1, bodies.length)];
  }

  #observed(): ObservedState {
    const replicas = [...this.bodies.values()].map(
      ({ id, slot, state, origin, createdAtMs }): ObservedReplica => ({
        id,
        project: "shop",
        service: ID,
        slot,
        name: `shop-web-${slot}`,
        state,
        origin,
        ...(origin === "flyball" ? { templateHash: "h1" } : {}),
        createdAtMs,
        endpoints: [],
        notEnforced: [],
      }),
    );
    if (this.orphan) replicas.push(composeReplica("old", 1));
    return observed(replicas, { atMs: this.nowMs, networks: this.network ? [NETWORK] : [] });
  }

  #endOne(): void {
    const next = this.#running.find(
      ({ action, plan, done }) =>
        !done && action.after.every((id) => plan.find((other) => other.action.id === id)?.done === true),
    );
    if (next === undefined) return;
    const outcome = this.#perform(next.action);
    next.done = true;
    this.#running = this.#running.filter((running) => running !== next);
    this.#inFlight.finish(next.action);
    this.ownership.ended(next.action, outcome);
  }

  #perform(action: Action): "done" | "failed" {
    if (action.kind === "create-replica") {
      const body = this.#add(action.slot, "flyball", "created");
      this.#sign({ kind: "created", replica: body.id, byCompose: false });
    } else if (action.kind === "start-replica") {
      const body =
        action.replica === undefined
          ? [...this.bodies.values()].find(({ slot, state }) => slot === action.slot && state === "created")
          : this.bodies.get(action.replica);
      if (this.startsFail && body?.state === "created") {
        this.#take(body, ["removed"]);
        return "failed";
      }
      if (body !== undefined && body.state !== "running") this.#begin(body);
    } else if (action.kind === "stop-replica" || action.kind === "remove-replica") {
      const body = this.bodies.get(action.replica);
      if (body !== undefined) this.#take(body, action.kind === "stop-replica" ? STOP : ["removed"]);
    }
    return "done";
  }

  #add(slot: number, origin: Body["origin"], state: Body["state"]): Body {
    this.#made += 1;
    const body = { id: `web-${slot}-${this.#made}`, slot, origin, state, createdAtMs: this.nowMs };
    this.bodies.set(body.id, body);
    return body;
  }

  #begin(body: Body): void {
    body.state = "running";
    this.#sign({ kind: "started", replica: body.id });
  }

  #take(body: Body, words: readonly Word[]): void {
    for (const word of words) this.#sign(signOf(word, body.id));
    if (words.includes("removed")) this.bodies.delete(body.id);
    else body.state = "exited";
  }

  #sign(sign: EngineSign): void {
    this.ownership.hear(sign, this.nowMs);
  }
}
