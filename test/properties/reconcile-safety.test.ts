import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Action, ObservedReplica, Plan, ReplicaState } from "../../core/types.ts";
import type { Attempts } from "../../orchestrator/backoff.ts";
import { removalKey, slotKey } from "../../orchestrator/reconcile/keys.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import {
  composeReplica,
  inputOf,
  NOW_MS,
  network,
  replica,
  type Situation,
  STOP_FIRST,
  service,
  textOf,
} from "../orchestrator/builders.ts";

const STATES: readonly ReplicaState[] = [
  "created",
  "starting",
  "running",
  "unhealthy",
  "paused",
  "restarting",
  "stopping",
  "exited",
];
const SERVICES = [
  service("web", { updates: { update: { order: "start-first", monitorMs: 0 }, rollback: {} } }),
  service("db", STOP_FIRST),
];
/** More than are wanted while a rollout puts new ones beside the old ones. */
const BESIDE = 1;

const anySlot = fc.integer({ min: 1, max: 8 });

const replicasOf = (name: string) =>
  fc.uniqueArray(
    fc
      .record({
        slot: anySlot,
        state: fc.constantFrom(...STATES),
        outdated: fc.boolean(),
        compose: fc.integer({ min: 0, max: 3 }),
      })
      .map(({ slot, state, outdated, compose }) =>
        compose === 0
          ? composeReplica(name, slot, state)
          : replica(name, slot, state, { templateHash: outdated ? "h0" : "h1" }),
      ),
    { selector: ({ slot }) => slot, maxLength: 7 },
  );

const anyKey = fc
  .tuple(fc.constantFrom("shop_web", "shop_db"), anySlot)
  .map(([id, slot]) => slotKey(id, slot));
const anyAttempts: fc.Arbitrary<readonly [string, Attempts]> = fc
  .record({ key: anyKey, isRemoval: fc.boolean(), failures: fc.integer({ min: 1, max: 9 }) })
  .map(({ key, isRemoval, failures }) => [
    isRemoval ? removalKey(key) : key,
    { failures, lastAtMs: NOW_MS - 500, reason: "it did not work", delayMs: 1_000 },
  ]);

const anySituation: fc.Arbitrary<Situation> = fc
  .record({
    desired: fc.record({ web: fc.integer({ min: 0, max: 6 }), db: fc.integer({ min: 0, max: 4 }) }),
    replicas: fc.tuple(replicasOf("web"), replicasOf("db"), replicasOf("gone")).map((all) => all.flat()),
    arriving: fc.uniqueArray(anyKey, { maxLength: 2 }),
    leaving: fc.uniqueArray(anyKey, { maxLength: 2 }),
    attempts: fc.array(anyAttempts, { maxLength: 3 }),
  })
  .map(({ desired, replicas, arriving, leaving, attempts }) => ({
    services: SERVICES,
    desired,
    replicas,
    inFlight: { arriving: new Set(arriving), leaving: new Set(leaving).difference(new Set(arriving)) },
    attempts: new Map(attempts),
  }));

type OfReplica = Extract<Action, { readonly slot: number }>;
type Kind = OfReplica["kind"];

function ofKind<K extends Kind>(plan: Plan, kind: K, id?: string): Extract<Action, { kind: K }>[] {
  return plan.actions.filter(
    (action): action is Extract<Action, { kind: K }> =>
      action.kind === kind && (id === undefined || ("service" in action && action.service === id)),
  );
}

const isBusy = ({ inFlight }: Situation, { service: id, slot }: { service: string; slot: number }) =>
  inFlight?.arriving?.has(slotKey(id, slot)) === true || inFlight?.leaving?.has(slotKey(id, slot)) === true;

/** Those that count: not on their way out, and not being worked on. */
const freeOf = (situation: Situation, id: string) =>
  situation.replicas.filter(
    (one) => one.service === id && one.state !== "stopping" && !isBusy(situation, one),
  );

function arrivingOf({ inFlight }: Situation, id: string): number {
  return [...(inFlight?.arriving ?? [])].filter((key) => key.startsWith(`${id}#`)).length;
}

function check(property: (situation: Situation, plan: Plan) => void): void {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const plan = reconcile(inputOf(situation));
      try {
        property(situation, plan);
      } catch (error) {
        if (error instanceof Error) error.message += `\n${textOf(plan).join("\n")}`;
        throw error;
      }
    }),
    { numRuns: 500 },
  );
}

describe("whatever is there, a plan", () => {
  test("keeps each replica or takes it away, and never both", () => {
    check((situation, plan) => {
      const removed = ofKind(plan, "remove-replica").map((action) => action.replica);
      const stopped = ofKind(plan, "stop-replica").map((action) => action.replica);
      const started = ofKind(plan, "start-replica").flatMap((action) => action.replica ?? []);
      assert.equal(new Set(removed).size, removed.length);
      assert.equal(new Set(stopped).size, stopped.length);
      assert.deepEqual(
        stopped.filter((id) => !removed.includes(id)),
        [],
        "stopped and not removed",
      );
      assert.deepEqual(
        started.filter((id) => removed.includes(id)),
        [],
        "started and removed",
      );
      const present = new Set(situation.replicas.map(({ id }) => id));
      for (const id of [...removed, ...started]) assert.ok(present.has(id), `${id} is not there`);
    });
  });

  test("does not touch a slot that is being worked on", () => {
    check((situation, plan) => {
      for (const action of plan.actions)
        if ("slot" in action) assert.ok(!isBusy(situation, action), `slot ${action.slot}`);
    });
  });

  test("makes a replica only in a seat that is free, or is made free by the same plan", () => {
    check((situation, plan) => {
      for (const created of ofKind(plan, "create-replica")) {
        const there = situation.replicas.find(
          (one) => one.service === created.service && one.slot === created.slot,
        );
        if (there === undefined) continue;
        const removal = ofKind(plan, "remove-replica").find((action) => action.replica === there.id);
        assert.ok(removal !== undefined && created.after.includes(removal.id));
      }
    });
  });

  test("adds up: what is kept, made and on its way is never more than wanted and one batch, unless it was", () => {
    check((situation, plan) => {
      for (const { id, name } of SERVICES) {
        const wanted = situation.desired?.[name] ?? 0;
        const before = freeOf(situation, id).length + arrivingOf(situation, id);
        const after =
          before + ofKind(plan, "create-replica", id).length - ofKind(plan, "remove-replica", id).length;
        assert.ok(after <= Math.max(wanted + BESIDE, before), `${name}: ${after} of ${wanted}`);
        if (before >= wanted) assert.ok(after >= wanted, `${name}: ${after} of ${wanted}`);
        const isHeld = plan.holds.some((hold) => hold.service === id);
        if (before < wanted && !isHeld) assert.ok(after >= wanted, `${name}: ${after} of ${wanted}`);
      }
    });
  });

  test("never has fewer than wanted at any point of it, but for one that is replaced in its place", () => {
    check((situation, plan) => {
      for (const { id, name } of SERVICES) {
        const wanted = situation.desired?.[name] ?? 0;
        let alive = freeOf(situation, id).length + arrivingOf(situation, id);
        const least = Math.min(alive, wanted) - 1;
        const started = new Set(
          freeOf(situation, id)
            .filter(({ state }) => state === "created")
            .map(({ slot }) => slot),
        );
        for (const action of plan.actions) {
          if (!("slot" in action) || action.service !== id) continue;
          if (action.kind === "remove-replica") alive -= 1;
          if (action.kind === "start-replica" && !started.has(action.slot) && action.replica === undefined)
            alive += 1;
          assert.ok(alive >= least, `${name}: ${alive} of ${wanted}`);
        }
      }
    });
  });

  test("takes the highest numbers of what compose owns, but for those that could not be taken lately", () => {
    check((situation, plan) => {
      for (const { id } of SERVICES) {
        const all = situation.replicas.filter((one) => one.service === id);
        if (!all.some(({ origin }) => origin === "compose")) continue;
        const slots = ofKind(plan, "remove-replica", id).map(({ slot }) => slot);
        const waits = (slot: number) => situation.attempts?.has(removalKey(slotKey(id, slot))) === true;
        const kept = freeOf(situation, id).filter(({ slot }) => !slots.includes(slot) && !waits(slot));
        for (const slot of slots) for (const one of kept) assert.ok(one.slot < slot, `${one.slot}, ${slot}`);
      }
    });
  });
});

test("a project that is removed loses every replica and gets none, and its networks go last", () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const networks = [network()];
      const seen = { networks: ["shop_default"] };
      const plan = reconcile(inputOf({ ...situation, removing: true, project: { networks }, seen }));
      assert.deepEqual(ofKind(plan, "create-replica"), []);
      assert.deepEqual(ofKind(plan, "start-replica"), []);
      const removed = new Set(ofKind(plan, "remove-replica").map((action) => action.replica));
      const waits = ({ service: id, slot }: ObservedReplica) =>
        situation.attempts?.has(removalKey(slotKey(id, slot))) === true;
      const left = situation.replicas.filter((one) => !removed.has(one.id));
      for (const one of left) assert.ok(isBusy(situation, one) || waits(one), `${one.id} is left`);
      const [gone] = plan.actions.filter(({ kind }) => kind === "remove-network");
      assert.equal(gone === undefined, left.length > 0);
      for (const { id } of ofKind(plan, "remove-replica")) assert.ok(gone?.after.includes(id) !== false);
    }),
    { numRuns: 300 },
  );
});
