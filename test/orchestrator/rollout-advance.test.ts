import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service } from "../../core/types.ts";
import { advance, afterRefusal, type RolloutScene } from "../../orchestrator/rollout/advance.ts";
import { updatePolicy } from "../../orchestrator/rollout/policy.ts";
import {
  afterGap,
  beginRollback,
  beginRollout,
  type Revision,
  type Rollout,
  resumeRollout,
} from "../../orchestrator/rollout/rollout.ts";
import { NOW_MS, replica, service, template } from "./builders.ts";

const MINUTE_MS = 60_000;
const V1: Revision = { number: 1, hash: "h0", template: template() };
const V2: Revision = { number: 2, hash: "h1", template: template() };
const web = service("web");

const begun = beginRollout("shop_web", { to: V2, from: V1, canGoBack: true, hasOld: true }, NOW_MS);
const old = (slot: number) => replica("web", slot, "running", { templateHash: "h0" });
const failing = (slot: number) => replica("web", slot, "exited", { exitCode: 3, startedAtMs: NOW_MS + 1 });
const readySince = (slot: number, readyAtMs: number) => replica("web", slot, "running", { readyAtMs });

function scene(replicas: RolloutScene["replicas"], more: Partial<RolloutScene> & { of?: Service } = {}) {
  const { of = web, wanted = 3, ...rest } = more;
  const policy = updatePolicy(of, wanted, "update");
  return { policy, restart: of.template.restart, wanted, replicas, isExcused: () => false, ...rest };
}

const asked = (update: NonNullable<Service["updates"]>["update"]) => ({
  of: service("web", { updates: { update, rollback: {} } }),
});

describe("a rollout", () => {
  test("is the same one while nothing of it changes", () => {
    assert.equal(advance(begun, scene([old(1), old(2), old(3)]), NOW_MS + 1_000), begun);
  });

  test("trusts its template once a replica has been ready for the monitoring time, and not before", () => {
    const replicas = [old(1), old(2), old(3), readySince(4, NOW_MS)];
    assert.equal(advance(begun, scene(replicas), NOW_MS + 4_999), begun);
    const { trusted, settled, progressAtMs } = advance(begun, scene(replicas), NOW_MS + 5_000);
    assert.deepEqual(
      { trusted, settled, progressAtMs },
      { trusted: true, settled: [4], progressAtMs: NOW_MS + 5_000 },
    );
  });

  test("waits after each step for as long as it is told", () => {
    const later = advance(
      begun,
      scene([old(1), readySince(4, NOW_MS)], asked({ delayMs: 9_000 })),
      NOW_MS + 5_000,
    );
    assert.equal(later.nextStepAtMs, NOW_MS + 14_000);
  });

  test("is done when all that are wanted have proven healthy and no old one is left", () => {
    const three = [1, 2, 3].map((slot) => readySince(slot, NOW_MS));
    assert.equal(advance(begun, scene([...three, old(4)]), NOW_MS + 5_000).state, "updating");
    const done = advance(begun, scene(three), NOW_MS + 5_000);
    assert.equal(done.state, "done");
    assert.equal(done.endedAtMs, NOW_MS + 5_000);
  });

  test("of a service with no replicas waits for the first one to prove it", () => {
    assert.equal(advance(begun, scene([], { wanted: 0 }), NOW_MS + MINUTE_MS).state, "updating");
    assert.equal(advance(begun, scene([], { wanted: 0 }), NOW_MS + 60 * MINUTE_MS).state, "updating");
  });

  test("counts one that has done all it was to do as healthy", () => {
    const once = service("web", { template: template({ restart: { condition: "on-failure", delayMs: 1 } }) });
    const ended = replica("web", 1, "exited", { exitCode: 0, startedAtMs: NOW_MS + 1 });
    assert.equal(advance(begun, scene([ended], { wanted: 1, of: once }), NOW_MS + 10).state, "done");
  });
});

describe("a rollout that fails", () => {
  test("goes back to the template before, and says why", () => {
    const back = advance(begun, scene([old(1), old(2), old(3), failing(4)]), NOW_MS + 1_000);
    assert.equal(back.kind, "rollback");
    assert.equal(back.to, V1);
    assert.equal(back.from, V2);
    assert.equal(back.trusted, true);
    assert.equal(back.reason, "its replica 4 ended with status 3");
  });

  test("is paused where the file says so, and where nothing healthy was before", () => {
    const replicas = [old(1), old(2), old(3), failing(4)];
    const paused = advance(begun, scene(replicas, asked({ failureAction: "pause" })), NOW_MS + 1_000);
    assert.equal(paused.state, "paused");
    assert.equal(paused.reason, "its replica 4 ended with status 3");
    const stuck = advance({ ...begun, canGoBack: false }, scene(replicas), NOW_MS + 1_000);
    assert.equal(stuck.state, "paused");
    assert.match(stuck.reason ?? "", /; no other template has proven healthy, to go back to$/);
  });

  test("goes on where the file says so, however many fail, and where fewer fail than may", () => {
    const replicas = [old(1), old(2), old(3), failing(4)];
    for (const update of [{ failureAction: "continue" }, { maxFailureRatio: 0.34 }] as const) {
      const { state, failed, kind } = advance(begun, scene(replicas, asked(update)), NOW_MS + 1_000);
      assert.deepEqual({ state, failed, kind }, { state: "updating", failed: [4], kind: "update" });
    }
  });

  test("fails when nothing progresses for ten minutes, not counting the time in which nobody looked", () => {
    const replicas = [old(1), old(2), old(3), replica("web", 4, "starting")];
    assert.equal(advance(begun, scene(replicas), NOW_MS + 10 * MINUTE_MS), begun);
    const late = advance(begun, scene(replicas), NOW_MS + 10 * MINUTE_MS + 1);
    assert.equal(late.reason, "nothing progressed for 10m");
    const away = afterGap(begun, 30 * MINUTE_MS);
    assert.equal(advance(away, scene(replicas), NOW_MS + 31 * MINUTE_MS), away);
  });

  test("fails when the engine refuses three times in a row, trying more seldom each time", () => {
    const once = afterRefusal(begun, "no such image", NOW_MS);
    const twice = afterRefusal(once, "no such image", NOW_MS);
    assert.deepEqual([once.nextStepAtMs, twice.nextStepAtMs], [NOW_MS + 1_000, NOW_MS + 2_000]);
    assert.equal(advance(twice, scene([old(1)]), NOW_MS), twice);
    const back = advance(afterRefusal(twice, "no such image", NOW_MS), scene([old(1)]), NOW_MS);
    assert.equal(back.kind, "rollback");
    assert.equal(back.reason, "a replica could not be made 3 times in a row (no such image)");
  });

  test("does not blame its template for what we end, and what ended while nobody looked", () => {
    const replicas = [old(1), failing(4)];
    assert.equal(
      advance(begun, scene(replicas, { isExcused: ({ slot }) => slot === 4 }), NOW_MS + 1_000),
      begun,
    );
  });

  test("holds it against a replica that the engine said to run for long after its program had ended", () => {
    const settled = advance(begun, scene([old(1), readySince(4, NOW_MS)]), NOW_MS + 5_000);
    assert.deepEqual(settled.settled, [4]);
    for (const state of ["exited", "restarting"] as const) {
      const late = replica("web", 4, state, {
        exitCode: 3,
        startedAtMs: NOW_MS + 1,
        exitedAtMs: NOW_MS + 4_000,
      });
      const back = advance(settled, scene([old(1), late]), NOW_MS + 6_000);
      assert.equal(back.kind, "rollback");
      const excused = scene([old(1), late], { isExcused: () => true });
      assert.equal(advance(settled, excused, NOW_MS + 6_000), settled);
    }
  });

  test("is forgiven a replica that fails after it had proven healthy", () => {
    const settled: Rollout = { ...begun, settled: [4], trusted: true };
    assert.equal(advance(settled, scene([old(1), failing(4)]), NOW_MS + 1_000), settled);
  });
});

describe("a rollback", () => {
  const back = beginRollback(begun, "its replica 4 ended with status 3", NOW_MS);

  test("that fails is paused and never rolled back", () => {
    const ended = replica("web", 1, "exited", { templateHash: "h0", exitCode: 1, startedAtMs: NOW_MS + 1 });
    const paused = advance(
      back,
      scene([ended], { policy: updatePolicy(web, 3, "rollback") }),
      NOW_MS + 1_000,
    );
    assert.equal(paused.state, "paused");
    assert.equal(paused.kind, "rollback");
    assert.equal(paused.reason, "its replica 1 ended with status 1; a rollback is not rolled back again");
  });

  test("is not blamed for replicas that ended before it began", () => {
    const ended = replica("web", 1, "exited", { templateHash: "h0", exitCode: 1, startedAtMs: NOW_MS - 1 });
    assert.equal(advance(back, scene([ended]), NOW_MS + 1_000), back);
  });

  test("without a template before stays where it is, and says why", () => {
    const { from: _from, ...first } = begun;
    const paused = beginRollback(first, "it failed", NOW_MS);
    assert.deepEqual([paused.state, paused.reason, paused.to], ["paused", "it failed", V2]);
  });
});

describe("a paused rollout", () => {
  test("that is resumed forgets what failed, and tries again", () => {
    const paused: Rollout = { ...begun, state: "paused", failed: [4], refusals: 2, reason: "it failed" };
    const again = resumeRollout(paused, NOW_MS + 50);
    assert.deepEqual(again, {
      ...begun,
      startedAtMs: NOW_MS + 50,
      progressAtMs: NOW_MS + 50,
      nextStepAtMs: NOW_MS + 50,
    });
    assert.equal(resumeRollout(begun, NOW_MS + 50), begun);
  });
});

describe("the order of a rollout", () => {
  const data = { type: "volume", source: "shop_data", target: "/data", readOnly: false } as const;
  const orderOf = (changes: Partial<Service>, wanted = 1) => {
    const { order, orderReason } = updatePolicy(service("web", changes), wanted, "update");
    return `${order}, because ${orderReason}`;
  };

  test("is start-first where two can stand side by side", () => {
    assert.equal(orderOf({}), "start-first, because two of its replicas can stand side by side");
    const shared = template({ mounts: [data] });
    assert.match(orderOf({ template: shared }, 2), /^start-first/);
    assert.match(orderOf({ template: template({ mounts: [{ ...data, readOnly: true }] }) }), /^start-first/);
  });

  test("is stop-first where they would contend", () => {
    assert.equal(
      orderOf({ singleReplicaReason: "host port 80 is fixed" }),
      "stop-first, because it cannot have two replicas: host port 80 is fixed",
    );
    assert.equal(
      orderOf({ template: template({ mounts: [data] }) }),
      "stop-first, because its only replica writes to shop_data",
    );
    const ports = [{ target: 80, protocol: "tcp", published: "8000-8001" }] as const;
    assert.match(
      orderOf({ template: template({ ports }) }, 2),
      /^stop-first, because its host ports 8000-8001/,
    );
    assert.match(orderOf({ template: template({ ports }) }, 1), /^start-first/);
    assert.match(orderOf({ global: true }), /^stop-first/);
  });

  test("is what the file says, unless that cannot be", () => {
    const startFirst = { updates: { update: { order: "start-first" }, rollback: {} } } as const;
    assert.match(
      orderOf({ ...startFirst, template: template({ mounts: [data] }) }),
      /^start-first, because its file/,
    );
    assert.match(orderOf({ ...startFirst, singleReplicaReason: "host port 80 is fixed" }), /^stop-first/);
  });
});
