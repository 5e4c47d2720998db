import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Action, ObservedReplica, ReplicaState } from "../../core/types.ts";
import { keyOf } from "../../orchestrator/in-flight.ts";
import { slotKey } from "../../orchestrator/reconcile/keys.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import {
  composeReplica,
  inputOf,
  NOW_MS,
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
  "exited",
];

interface World {
  readonly desired: { readonly web: number; readonly db: number };
  readonly replicas: readonly ObservedReplica[];
}

const anyReplica = (name: string) =>
  fc
    .record({
      slot: fc.integer({ min: 1, max: 9 }),
      state: fc.constantFrom(...STATES),
      outdated: fc.boolean(),
      compose: fc.boolean(),
    })
    .map(({ slot, state, outdated, compose }) =>
      compose
        ? composeReplica(name, slot, state)
        : replica(name, slot, state, { templateHash: outdated ? "h0" : "h1" }),
    );

const replicasOf = (name: string) =>
  fc.uniqueArray(anyReplica(name), { selector: ({ slot }) => slot, maxLength: 7 });

const anyWorld: fc.Arbitrary<World> = fc
  .record({
    desired: fc.record({ web: fc.integer({ min: 0, max: 6 }), db: fc.integer({ min: 0, max: 3 }) }),
    web: replicasOf("web"),
    db: replicasOf("db"),
    gone: replicasOf("gone"),
  })
  .map(({ desired, web, db, gone }) => ({ desired, replicas: [...web, ...db, ...gone] }));

/** One of each order. */
const SERVICES = [
  service("web", { updates: { update: { order: "start-first", monitorMs: 0 }, rollback: {} } }),
  service("db", STOP_FIRST),
];

function situation(world: World, seen: Situation["seen"] = {}): Situation {
  return { services: SERVICES, desired: world.desired, replicas: world.replicas, seen };
}

/** What the engine would show after an action was done. */
function after(replicas: readonly ObservedReplica[], action: Action): readonly ObservedReplica[] {
  switch (action.kind) {
    case "create-replica": {
      const name = action.service.replace("shop_", "");
      return [...replicas, replica(name, action.slot, "created", { id: `new-${name}-${action.slot}` })];
    }
    case "start-replica":
      return replicas.map((one) =>
        at(one, action) ? { ...one, state: "running" as const, readyAtMs: NOW_MS } : one,
      );
    case "stop-replica":
      return replicas.map((one) => (at(one, action) ? { ...one, state: "exited" as const } : one));
    case "remove-replica":
      return replicas.filter((one) => !at(one, action));
    default:
      return replicas;
  }
}

function at(one: ObservedReplica, action: { service: string; slot: number }): boolean {
  return one.service === action.service && one.slot === action.slot;
}

/** What becomes of a replica in time: it gets ready, it recovers, whoever paused it lets it go on. */
function matured(one: ObservedReplica): ObservedReplica {
  const waits = ["starting", "restarting", "unhealthy", "paused"].includes(one.state);
  return waits ? { ...one, state: "running", readyAtMs: NOW_MS } : one;
}

/** Passes until one has nothing to do; a crash after `crashAfter` actions ends a pass early. */
function settle(world: World, crashAfter: readonly number[]): World {
  let { replicas } = world;
  for (let pass = 0; pass < 60; pass += 1) {
    const { actions } = reconcile(inputOf(situation({ ...world, replicas })));
    const isAtRest = replicas.every((one) => matured(one) === one);
    if (actions.length === 0 && isAtRest) return { ...world, replicas };
    const done = actions.slice(0, crashAfter[pass] ?? actions.length);
    replicas = done.reduce(after, replicas).map(matured);
  }
  assert.fail("sixty passes did not settle");
}

function shape(world: World): readonly string[] {
  return world.replicas.map(({ service: id, slot, state }) => `${id} ${slot} ${state}`).toSorted();
}

test("carried out, a plan leads to the desired counts, and then there is nothing to do", () => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      const settled = settle(world, []);
      for (const { name, id } of SERVICES) {
        const alive = settled.replicas.filter((one) => one.service === id);
        assert.equal(alive.length, world.desired[name as "web" | "db"]);
      }
    }),
  );
});

test("a plan of which any part was done before a crash leads to the same counts", () => {
  const crashes = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 6 });
  fc.assert(
    fc.property(anyWorld, crashes, (world, crashAfter) => {
      const counts = (one: World) => Object.groupBy(one.replicas, (each) => each.service);
      const whole = counts(settle(world, []));
      const broken = counts(settle(world, crashAfter));
      for (const { id } of SERVICES) assert.equal(broken[id]?.length ?? 0, whole[id]?.length ?? 0);
    }),
  );
});

test("no slot is given two tasks at once: its actions wait for each other", () => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      const { actions } = reconcile(inputOf(situation(world)));
      const last = new Map<string, number>();
      for (const action of actions) {
        const before = last.get(keyOf(action));
        if (before !== undefined)
          assert.ok(action.after.includes(before), textOf({ actions, holds: [] }).join("\n"));
        last.set(keyOf(action), action.id);
      }
    }),
  );
});

test("what is taken leaves as many ready as desired, but for the one that is replaced in its place", () => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      const { actions } = reconcile(inputOf(situation(world)));
      for (const { id, name } of SERVICES) {
        const ready = world.replicas.filter((one) => one.service === id && one.state === "running");
        const removed = actions.filter((action) => action.kind === "remove-replica" && action.service === id);
        const created = actions.filter((action) => action.kind === "create-replica" && action.service === id);
        const isReplaced = (action: Action) => created.some((other) => keyOf(other) === keyOf(action));
        const taken = new Set(removed.filter((action) => !isReplaced(action)).map(keyOf));
        const gone = ready.filter(({ slot }) => taken.has(slotKey(id, slot)));
        const wanted = world.desired[name as "web" | "db"];
        const ofCompose = world.replicas.some((one) => one.service === id && one.origin === "compose");
        // There the highest number goes, as compose itself does it.
        if (!ofCompose) assert.ok(ready.length - gone.length >= Math.min(ready.length, wanted));
        assert.ok(removed.filter(isReplaced).length <= 1);
      }
    }),
  );
});

test("an incomplete observation leads to no action at all", () => {
  fc.assert(
    fc.property(anyWorld, (world) => {
      assert.deepEqual(reconcile(inputOf(situation(world, { complete: false }))).actions, []);
    }),
  );
});

test("the order in which the engine lists its replicas changes nothing", () => {
  const shuffled = anyWorld.chain((world) =>
    fc
      .shuffledSubarray([...world.replicas], { minLength: world.replicas.length })
      .map((replicas) => ({ world, replicas })),
  );
  fc.assert(
    fc.property(shuffled, ({ world, replicas }) => {
      const one = reconcile(inputOf(situation(world)));
      const other = reconcile(inputOf(situation({ ...world, replicas })));
      assert.deepEqual(textOf(other), textOf(one));
    }),
  );
});

test("the same crash leads to the same world", () => {
  fc.assert(
    fc.property(anyWorld, fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), (world, crashAfter) => {
      assert.deepEqual(shape(settle(world, crashAfter)), shape(settle(world, crashAfter)));
    }),
  );
});
