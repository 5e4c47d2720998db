import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { Service } from "../../core/types.ts";
import { Scaler, type ScalerOptions } from "../../scaler/scaler.ts";
import { MAX_CPU_70, NOW_MS, policyOf, replicaOf, SERVICE, serviceOf } from "./builders.ts";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "flyball-modes-"));
});
after(() => rmSync(root, { recursive: true, force: true }));

function storeOf(t: TestContext): Store {
  const store = new Store(mkdtempSync(join(root, "data-")));
  t.after(() => store[Symbol.dispose]());
  return store;
}

type FirstRun = NonNullable<ScalerOptions["firstRun"]>;

function scalerOn(store: Store, firstRun: FirstRun = "shadow"): Scaler {
  return new Scaler({ store, log: createLog("silent"), firstRun });
}

let second = 0;
/** What a busy service of one replica comes to have; each time long after the last. */
function countOf(scaler: Scaler, service: Service = serviceOf()): number | undefined {
  second += 1_000;
  const nowMs = NOW_MS + second * 1_000;
  const reading = { mean: 0.9, newestAtMs: nowMs };
  const reader = { ofReplica: () => reading, heldBack: () => undefined, ofService: () => undefined };
  const [decision] = scaler.evaluate([{ service, desired: 1, replicas: [replicaOf("a")] }], reader, nowMs);
  return decision?.to;
}

describe("rules that have never scaled their service", () => {
  test("scale it at once, unless the configuration says that they begin in shadow", (t) => {
    assert.equal(countOf(new Scaler({ store: storeOf(t), log: createLog("silent") })), 2);
    assert.equal(countOf(scalerOn(storeOf(t))), 1);
  });

  test("only watch until they are approved, and say what they would do", (t) => {
    const scaler = scalerOn(storeOf(t));
    assert.equal(countOf(scaler), 1);
    assert.equal(
      scaler.latest(SERVICE)?.sentence,
      "stays at 1: cpu at 90 % is above 70 %, so 2 are wanted, but it waits for flyball approve shop_web",
    );
    assert.equal(scaler.setMode(serviceOf(), "live", NOW_MS), "live");
    assert.equal(countOf(scaler), 2);
  });

  test("stay approved through a restart", (t) => {
    const store = storeOf(t);
    const first = scalerOn(store);
    countOf(first);
    first.setMode(serviceOf(), "live", NOW_MS);
    assert.equal(countOf(scalerOn(store)), 2);
  });

  test("stay approved when only bounds, steps, windows or the image are others", (t) => {
    const scaler = scalerOn(storeOf(t));
    countOf(scaler);
    scaler.setMode(serviceOf(), "live", NOW_MS);
    const wider = policyOf({ maxReplicas: 30, step: 3, windowMs: 20_000, cooldownMs: 1_000 });
    assert.equal(countOf(scaler, serviceOf({ scaling: wider, templateHash: "second" })), 4);
  });

  test("wait again when a threshold or a metric is another", (t) => {
    const scaler = scalerOn(storeOf(t));
    countOf(scaler);
    scaler.setMode(serviceOf(), "live", NOW_MS);
    const other = serviceOf({ scaling: policyOf({ rules: [{ ...MAX_CPU_70, max: 0.5 }] }) });
    assert.equal(countOf(scaler, other), 1);
    assert.equal(countOf(scaler, other), 1);
    assert.equal(scaler.setMode(other, "live", NOW_MS), "live");
    assert.equal(countOf(scaler, other), 2);
  });

  test("are not asked about where they have scaled before the configuration was changed", (t) => {
    const store = storeOf(t);
    assert.equal(countOf(scalerOn(store, "live")), 2);
    assert.equal(countOf(scalerOn(store, "shadow")), 2);
  });
});

describe("a pause", () => {
  test("holds the count through a restart, until it is ended", (t) => {
    const store = storeOf(t);
    const scaler = scalerOn(store, "live");
    assert.equal(scaler.setMode(serviceOf(), "paused", NOW_MS), "paused");
    assert.equal(countOf(scaler), 1);
    assert.match(scaler.latest(SERVICE)?.sentence ?? "", /but scaling is paused$/);
    const restarted = scalerOn(store, "live");
    assert.equal(countOf(restarted), 1);
    assert.equal(restarted.setMode(serviceOf(), "resumed", NOW_MS), "live");
    assert.equal(countOf(restarted), 2);
  });

  test("approves nothing when it ends", (t) => {
    const scaler = scalerOn(storeOf(t));
    countOf(scaler);
    scaler.setMode(serviceOf(), "paused", NOW_MS);
    assert.equal(scaler.setMode(serviceOf(), "resumed", NOW_MS), "shadow");
    assert.equal(countOf(scaler), 1);
  });

  test("of a service without a rule is refused", (t) => {
    const { scaling: _, ...unscaled } = serviceOf();
    assert.throws(() => scalerOn(storeOf(t)).setMode(unscaled, "paused", NOW_MS), { code: "NOT_SCALABLE" });
  });
});

describe("a count that a person holds for a while", () => {
  test("stays until then, through a restart, and the rules go on by themselves", (t) => {
    const store = storeOf(t);
    const untilMs = NOW_MS + (second + 2_500) * 1_000;
    const first = scalerOn(store, "live");
    assert.equal(countOf(first), 2);
    first.pauseUntil(serviceOf(), untilMs);
    assert.equal(countOf(first), 1);
    assert.equal(countOf(scalerOn(store, "live")), 2);
  });

  test("is let go sooner by a person who resumes the service", (t) => {
    const scaler = scalerOn(storeOf(t), "live");
    assert.equal(countOf(scaler), 2);
    scaler.pauseUntil(serviceOf(), Number.MAX_SAFE_INTEGER);
    assert.equal(countOf(scaler), 1);
    scaler.setMode(serviceOf(), "resumed", NOW_MS);
    assert.equal(countOf(scaler), 2);
  });

  test("needs rules that could go on", (t) => {
    const { scaling: _rules, ...without } = serviceOf();
    assert.throws(() => scalerOn(storeOf(t)).pauseUntil(without, NOW_MS + 1), { code: "NOT_SCALABLE" });
  });
});
