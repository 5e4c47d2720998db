import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObservedReplica, ReplicaState, Service } from "../../core/types.ts";
import {
  beginRollback,
  beginRollout,
  type Revision,
  type Rollout,
} from "../../orchestrator/rollout/rollout.ts";
import { NOW_MS, planText, replica, type Situation, service, template } from "./builders.ts";

const web = service("web", { initialReplicas: 3 });
const inPlace = service("web", {
  initialReplicas: 3,
  updates: { update: { order: "stop-first" }, rollback: { order: "stop-first" } },
});
const V1: Revision = { number: 1, hash: "h0", template: template({ image: "shop/web:1" }) };
const V2: Revision = { number: 2, hash: "h1", template: template({ image: "shop/web:2" }) };
const IMAGES = { images: ["shop/web:1", "shop/web:2"] };

function update(changes: Partial<Rollout> = {}): Rollout {
  const way = { to: V2, from: V1, canGoBack: true, hasOld: true };
  return { ...beginRollout("shop_web", way, NOW_MS - 1_000), ...changes };
}

const old = (slot: number, state: ReplicaState = "running", changes: Partial<ObservedReplica> = {}) =>
  replica("web", slot, state, { templateHash: "h0", ...changes });
const fresh = (slot: number, state: ReplicaState = "running", changes: Partial<ObservedReplica> = {}) =>
  replica("web", slot, state, changes);
/** Ready, and not yet for long enough. */
const young = (slot: number) => fresh(slot, "running", { readyAtMs: NOW_MS - 1_000 });

function plan(
  replicas: readonly ObservedReplica[],
  rollout: Rollout = update(),
  more: Partial<Situation> & { readonly service?: Service } = {},
): readonly string[] {
  const { service: one = web, ...rest } = more;
  const resolved = { ...one, templateHash: rollout.to.hash, template: rollout.to.template };
  return planText({ services: [resolved], replicas, rollouts: [rollout], seen: IMAGES, ...rest });
}

describe("without room for one more beside them", () => {
  const reserving = (cores: number, revision: Revision): Revision => ({
    ...revision,
    template: { ...revision.template, resources: { reservedCores: cores } },
  });
  const [v1, v2] = [reserving(1, V1), reserving(1, V2)];
  const capacity = { cores: 3.5, memoryBytes: 2 ** 30, overcommitRatio: 1 };
  const why = "there is no room for one more beside them: one needs 1.0 cores, 0.5 free";
  const cause = `to revision 2, in place of an old one: ${why}`;
  const inSlot1 = [
    `0 stop shop_web 1: ${cause}`,
    `1 remove shop_web 1 (after 0): ${cause}`,
    `2 create shop_web 1 (after 1): ${cause}`,
    `3 start shop_web 1 (after 2): ${cause}`,
  ];
  const wayTo = (to: Revision) => update({ from: v1, to });

  test("they are replaced in place, one after the other, whatever order was asked for", () => {
    assert.deepEqual(plan([old(1), old(2), old(3)], wayTo(v2), { capacity }), inSlot1);
    const updates = { update: { order: "start-first" }, rollback: {} } as const;
    const asked = { ...web, updates };
    assert.deepEqual(plan([old(1), old(2), old(3)], wayTo(v2), { capacity, service: asked }), inSlot1);
  });

  test("one that stands beside them already is waited for, though there is no room for another", () => {
    assert.deepEqual(
      plan([old(1), old(2), old(3), fresh(4, "starting")], wayTo(v2), {
        capacity: { ...capacity, cores: 4.5 },
      }),
      ["hold shop_web: to revision 2: 0 of 3 replicas; start-first, 1 at a time"],
    );
  });

  test("those that were never placed are not waited for", () => {
    const lines = plan([old(1), old(2), old(3)], wayTo(v2), { capacity, desired: { web: 5 } });
    assert.deepEqual(lines, [...inSlot1, "hold shop_web: needs 1.0 cores, 0.5 free"]);
  });

  test("an old one has what its own template reserves, and gives that back", () => {
    const hungry = reserving(1.5, V2);
    assert.deepEqual(
      plan([old(1), old(2), old(3)], wayTo(hungry), { capacity: { ...capacity, cores: 4.6 } })[0],
      "0 create shop_web 4: to revision 2, before an old one goes",
    );
    assert.match(
      plan([old(1), old(2), old(3)], wayTo(hungry), { capacity })[0] ?? "",
      /^0 stop shop_web 1: .* one needs 1\.5 cores, 0\.5 free$/u,
    );
    assert.deepEqual(plan([old(1), old(2), old(3)], wayTo(reserving(2, V2)), { capacity }), [
      "hold shop_web: needs 2.0 cores, 1.5 free",
    ]);
  });
});

describe("start-first, three replicas from revision 1 to revision 2", () => {
  test("begins with one new replica beside the three", () => {
    assert.deepEqual(plan([old(1), old(2), old(3)]), [
      "0 create shop_web 4: to revision 2, before an old one goes",
      "1 start shop_web 4 (after 0): to revision 2, before an old one goes",
    ]);
  });

  test("waits until the new one has been ready for the monitoring time", () => {
    const held = ["hold shop_web: to revision 2: 0 of 3 replicas; start-first, 1 at a time"];
    assert.deepEqual(plan([old(1), old(2), old(3), fresh(4, "starting")]), held);
    assert.deepEqual(plan([old(1), old(2), old(3), young(4)]), held);
  });

  test("knows of the new one only that it was well when an engine that takes long was asked", () => {
    const replicas = [old(1), old(2), old(3), fresh(4, "running", { readyAtMs: NOW_MS - 6_000 })];
    const asked = (agoMs: number) =>
      plan(replicas, update(), { seen: { ...IMAGES, atMs: NOW_MS - agoMs } })[0];
    assert.match(asked(0) ?? "", /^0 stop shop_web 3:/u);
    assert.match(asked(2_000) ?? "", /^hold shop_web: to revision 2: 0 of 3 replicas/u);
  });

  test("then takes an old one away, the highest number first", () => {
    assert.deepEqual(plan([old(1), old(2), old(3), fresh(4)], update({ settled: [4], trusted: true })), [
      "0 stop shop_web 3: web should have 3, not 4; 3 is of the older template",
      "1 remove shop_web 3 (after 0): web should have 3, not 4; 3 is of the older template",
      "hold shop_web: to revision 2: 1 of 3 replicas; start-first, 1 at a time",
    ]);
  });

  test("goes on with the next in the slot that has become free", () => {
    assert.deepEqual(plan([old(1), old(2), fresh(4)], update({ settled: [4], trusted: true })), [
      "0 create shop_web 3: to revision 2, before an old one goes",
      "1 start shop_web 3 (after 0): to revision 2, before an old one goes",
    ]);
  });

  test("ends with the last old one", () => {
    const settled = update({ settled: [3, 4, 5], trusted: true });
    assert.deepEqual(plan([old(1), fresh(3), fresh(4), fresh(5)], settled), [
      "0 stop shop_web 1: web should have 3, not 4; 1 is of the older template",
      "1 remove shop_web 1 (after 0): web should have 3, not 4; 1 is of the older template",
    ]);
    assert.deepEqual(plan([fresh(3), fresh(4), fresh(5)], update({ ...settled, state: "done" })), []);
  });

  test("takes as many at a time as it may", () => {
    const two = { ...web, updates: { update: { parallelism: 2 }, rollback: {} } };
    const all = { ...web, updates: { update: { parallelism: 0 }, rollback: {} } };
    const created = (lines: readonly string[]) => lines.filter((line) => line.includes("create")).length;
    assert.equal(created(plan([old(1), old(2), old(3)], update(), { service: two })), 2);
    assert.equal(created(plan([old(1), old(2), old(3)], update(), { service: all })), 3);
  });

  test("pauses between the steps for as long as it is told", () => {
    const later = update({ nextStepAtMs: NOW_MS + 8_000, settled: [4], trusted: true });
    assert.deepEqual(plan([old(1), old(2), fresh(4)], later), [
      "hold shop_web: to revision 2: 1 of 3 replicas; the next in 8s",
    ]);
  });

  test("pulls the new image before anything else", () => {
    const seen = { images: ["shop/web:1"] };
    assert.deepEqual(plan([old(1), old(2), old(3)], update(), { seen }), [
      "0 pull shop/web:2: web needs it",
      "1 create shop_web 4 (after 0): to revision 2, before an old one goes",
      "2 start shop_web 4 (after 1): to revision 2, before an old one goes",
    ]);
  });

  test("leaves one that a person has paused, whatever its template", () => {
    assert.deepEqual(
      plan([old(1, "paused"), fresh(2), fresh(3)], update({ settled: [2, 3], trusted: true })),
      ["hold shop_web 1: was paused by somebody"],
    );
  });
});

describe("stop-first, three replicas from revision 1 to revision 2", () => {
  test("replaces one in its slot, and pulls the image before it stops anything", () => {
    const seen = { images: ["shop/web:1"] };
    assert.deepEqual(plan([old(1), old(2), old(3)], update(), { service: inPlace, seen }), [
      "0 pull shop/web:2: web needs it",
      "1 stop shop_web 1 (after 0): to revision 2, in place of an old one",
      "2 remove shop_web 1 (after 1): to revision 2, in place of an old one",
      "3 create shop_web 1 (after 2): to revision 2, in place of an old one",
      "4 start shop_web 1 (after 3): to revision 2, in place of an old one",
    ]);
  });

  test("takes one that does not serve first: it is no loss", () => {
    const [first] = plan([old(1), old(2, "unhealthy"), old(3)], update(), { service: inPlace });
    assert.equal(first, "0 stop shop_web 2: to revision 2, in place of an old one");
  });

  test("waits for the one that was replaced", () => {
    assert.deepEqual(plan([young(1), old(2), old(3)], update(), { service: inPlace }), [
      "hold shop_web: to revision 2: 0 of 3 replicas; stop-first, 1 at a time",
    ]);
  });

  test("stops nothing while what should take its place cannot be had", () => {
    const waiting = {
      ...inPlace,
      dependsOn: [{ service: "shop_db", condition: "healthy", required: true }] as const,
    };
    const db = service("db", { initialReplicas: 0 });
    const resolved = { ...waiting, templateHash: "h1", template: V2.template };
    assert.deepEqual(
      planText({
        services: [resolved, db],
        replicas: [old(1), old(2), old(3)],
        rollouts: [update()],
        seen: IMAGES,
      }),
      ["hold shop_web: to revision 2: 0 of 3 replicas; waits for db to be healthy"],
    );
  });
});

describe("scaling in the middle of a rollout", () => {
  test("a scale-out is of the old template until the new one has proven healthy", () => {
    const why = "web should have 5, not 4; from the template before, until the new one has proven healthy";
    assert.deepEqual(plan([old(1), old(2), old(3), young(4)], update(), { desired: { web: 5 } }), [
      `0 create shop_web 5: ${why}`,
      `1 start shop_web 5 (after 0): ${why}`,
      "hold shop_web: to revision 2: 0 of 5 replicas; start-first, 1 at a time",
    ]);
  });

  test("and of the new one from then on", () => {
    const settled = update({ settled: [4], trusted: true });
    assert.deepEqual(plan([old(1), old(2), old(3), fresh(4)], settled, { desired: { web: 5 } }).slice(0, 2), [
      "0 create shop_web 5: web should have 5, not 4",
      "1 start shop_web 5 (after 0): web should have 5, not 4",
    ]);
  });

  test("a scale-in takes old ones, and lets the new one prove itself", () => {
    assert.deepEqual(
      plan([old(1), old(2), old(3), young(4)], update(), { desired: { web: 2 } }).slice(0, 2),
      [
        "0 stop shop_web 3: web should have 2, not 4; 3 is of the older template",
        "1 remove shop_web 3 (after 0): web should have 2, not 4; 3 is of the older template",
      ],
    );
  });

  test("a scale-in of a paused rollout takes the new ones, which fail", () => {
    const paused = update({ state: "paused", failed: [4], reason: "its replica 4 ended with status 1" });
    const replicas = [old(1), old(2), old(3), fresh(4, "exited", { exitCode: 1 })];
    assert.deepEqual(plan(replicas, paused), [
      "0 remove shop_web 4: web should have 3, not 4; 4 is of the new template, which fails",
      "hold shop_web: to revision 2: 0 of 3 replicas; paused: its replica 4 ended with status 1",
    ]);
  });

  test("a scale-out of a paused rollout is of the old template though the new one was trusted", () => {
    const paused = update({ state: "paused", trusted: true, reason: "nothing progressed for 10m" });
    const [first] = plan([old(1), old(2), fresh(4)], paused, { desired: { web: 4 } });
    assert.match(first ?? "", /^0 create shop_web 3: web should have 4, not 3; from the template before/);
  });
});

describe("the way back to revision 1", () => {
  const back = beginRollback(update(), "its replica 4 ended with status 1", NOW_MS - 1_000);

  test("takes away what failed first", () => {
    const replicas = [old(1), old(2), old(3), fresh(4, "exited", { exitCode: 1 })];
    assert.deepEqual(plan(replicas, back), [
      "0 remove shop_web 4: web should have 3, not 4; 4 is of the template that is given up",
    ]);
  });

  test("makes what is missing from the template that is known to be good", () => {
    const replicas = [old(1), fresh(2, "unhealthy")];
    assert.deepEqual(plan(replicas, { ...back, settled: [1] }).slice(0, 2), [
      "0 create shop_web 3: web should have 3, not 2",
      "1 start shop_web 3 (after 0): web should have 3, not 2",
    ]);
  });
});
