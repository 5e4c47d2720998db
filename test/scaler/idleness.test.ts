import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ScalingPolicy, SignsOfUse } from "../../core/types.ts";
import { describe as tell } from "../../scaler/describe.ts";
import { Governor } from "../../scaler/governor.ts";
import { Idleness } from "../../scaler/idleness.ts";
import { alike, CALM, evaluate, NOW_MS, policyOf, targetOf } from "./builders.ts";

const IDLE_MS = 600_000;
const MAY_SLEEP = { minReplicas: 0, idleMs: IDLE_MS };
const QUIET: SignsOfUse = { waiting: 0, open: 0 };

describe("a service that may have no replica", () => {
  test("keeps its last one while somebody uses it, however little", () => {
    const evaluation = evaluate({
      serving: alike(1, 0),
      policy: targetOf(MAY_SLEEP),
      activity: "in use",
      memory: CALM,
    });
    assert.equal(evaluation.to, 1);
  });

  test("loses all of them once it is idle, without another window; the sentence says why", () => {
    const policy = policyOf(MAY_SLEEP);
    const evaluation = evaluate({ serving: alike(2, 0.1), policy, activity: "idle" });
    assert.equal(evaluation.to, 0);
    assert.match(tell(evaluation, policy), /^2 → 0: .*but .*nobody has used it for 10m$/);
  });

  test("has one again as soon as somebody waits, whatever the cooldown", () => {
    const policy = policyOf(MAY_SLEEP);
    const memory = { ...CALM, lastOutAtMs: NOW_MS - 1 };
    const evaluation = evaluate({ serving: [], desired: 0, policy, activity: "waiting", memory });
    assert.equal(evaluation.to, 1);
    assert.equal(tell(evaluation, policy), "0 → 1: nobody uses it, but somebody waits for it");
  });

  test("sleeps on while nobody asks", () => {
    const policy = policyOf(MAY_SLEEP);
    const evaluation = evaluate({ serving: [], desired: 0, policy, activity: "idle" });
    assert.equal(evaluation.to, 0);
    assert.equal(tell(evaluation, policy), "stays at 0: nobody uses it");
  });

  test("of whose use nobody knows keeps what it has", () => {
    assert.equal(evaluate({ serving: alike(1, 0), policy: policyOf(MAY_SLEEP), memory: CALM }).to, 1);
    assert.equal(evaluate({ serving: [], desired: 0, policy: policyOf(MAY_SLEEP) }).to, 0);
  });

  test("that may not sleep now, by its schedule, keeps the schedule's fewest", () => {
    const bounds = { minReplicas: 2, maxReplicas: 5, schedule: "0 8 * * *" };
    const policy = policyOf(MAY_SLEEP);
    assert.equal(evaluate({ serving: alike(2, 0), policy, bounds, activity: "idle", memory: CALM }).to, 2);
    assert.equal(evaluate({ serving: [], desired: 0, policy, bounds, activity: "idle" }).to, 2);
  });

  test("is woken ahead of a load that is expected", () => {
    const policy = targetOf({ ...MAY_SLEEP, predict: true });
    const evaluation = evaluate({
      serving: [],
      desired: 0,
      policy,
      activity: "idle",
      forecast: { replicas: 2 },
    });
    assert.equal(evaluation.to, 2);
  });

  test("with dry run is only said to sleep", () => {
    const policy = policyOf({ ...MAY_SLEEP, dryRun: true });
    assert.equal(evaluate({ serving: alike(1, 0), policy, activity: "idle", memory: CALM }).to, 1);
  });
});

describe("whether anybody uses a service", () => {
  test("is not known without signs, and what is not known counts as use", () => {
    const idleness = new Idleness(IDLE_MS);
    assert.equal(idleness.look(NOW_MS, true, undefined, undefined), undefined);
    assert.equal(idleness.look(NOW_MS + IDLE_MS, true, undefined, undefined), undefined);
    assert.equal(idleness.look(NOW_MS + IDLE_MS + 1_000, true, QUIET, undefined), "in use");
    assert.equal(idleness.look(NOW_MS + 2 * IDLE_MS, true, QUIET, undefined), "idle");
  });

  test("an open websocket keeps it awake for as long as it is open", () => {
    const idleness = new Idleness(IDLE_MS);
    for (let ms = 0; ms <= 3 * IDLE_MS; ms += 60_000) {
      assert.equal(idleness.look(NOW_MS + ms, true, { waiting: 0, open: 1 }, undefined), "in use");
    }
  });

  test("who comes to the last replica when it has been told to go wakes the service again", () => {
    const idleness = new Idleness(IDLE_MS);
    assert.equal(idleness.look(NOW_MS, false, QUIET, undefined), "in use");
    assert.equal(idleness.look(NOW_MS + 1_000, false, { waiting: 0, open: 1 }, undefined), "waiting");
  });

  test("a query that gives more than nothing wakes it, and one that gives nothing lets it sleep", () => {
    const idleness = new Idleness(IDLE_MS);
    assert.equal(idleness.look(NOW_MS, false, undefined, 3), "waiting");
    assert.equal(idleness.look(NOW_MS + 1_000, true, undefined, 3), "in use");
    assert.equal(idleness.look(NOW_MS + IDLE_MS, true, undefined, 0), "in use");
    assert.equal(idleness.look(NOW_MS + IDLE_MS + 1_000, true, undefined, 0), "idle");
  });

  test("property: it is idle only when nobody has used it for that long, and then it is", () => {
    const second = fc.record({
      waiting: fc.nat({ max: 1 }),
      open: fc.nat({ max: 1 }),
      isKnown: fc.boolean(),
      requestAgeMs: fc.option(fc.nat({ max: 20_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(second, { minLength: 1, maxLength: 60 }), (seconds) => {
        const idleMs = 10_000;
        const idleness = new Idleness(idleMs);
        let usedAtMs = NOW_MS;
        for (const [index, { waiting, open, isKnown, requestAgeMs }] of seconds.entries()) {
          const nowMs = NOW_MS + index * 1_000;
          const lastRequestAtMs = requestAgeMs === undefined ? undefined : nowMs - requestAgeMs;
          const signs = { waiting, open, ...(lastRequestAtMs === undefined ? {} : { lastRequestAtMs }) };
          const activity = idleness.look(nowMs, true, isKnown ? signs : undefined, undefined);
          if (!isKnown || waiting + open > 0) usedAtMs = nowMs;
          else usedAtMs = Math.max(usedAtMs, lastRequestAtMs ?? 0);
          const expected = !isKnown ? undefined : nowMs - usedAtMs >= idleMs ? "idle" : "in use";
          assert.equal(activity, expected);
        }
      }),
    );
  });
});

test("a governor lets a service sleep, wakes it for who waits, and goes on by its rules", () => {
  const policy: ScalingPolicy = targetOf({ ...MAY_SLEEP, idleMs: 5_000 });
  const governor = new Governor(policy);
  let desired = 1;
  const counts = Array.from({ length: 12 }, (_, second) => {
    const signsOfUse = { waiting: second === 8 ? 1 : 0, open: second > 8 ? 1 : 0 };
    const situation = {
      nowMs: NOW_MS + second * 1_000,
      service: "shop_web",
      desired,
      serving: desired,
      observations: [{ read: desired, sum: 0, burstSum: 0, cautiousSum: 0, ageMs: 0 }],
      single: false,
      signsOfUse,
    };
    const { output } = governor.evaluate(situation, 2_000);
    governor.commit(output);
    desired = output.evaluation.to;
    return desired;
  });
  assert.deepEqual(counts, [1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1]);
});
