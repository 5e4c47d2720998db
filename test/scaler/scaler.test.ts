import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { Service } from "../../core/types.ts";
import type { LevelReader } from "../../scaler/observe.ts";
import { Scaler } from "../../scaler/scaler.ts";
import { TABLES } from "../../scaler/tables.ts";
import { MAX_CPU_70, NOW_MS, policyOf, replicaOf, SERVICE, serviceOf } from "./builders.ts";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "flyball-scaler-"));
});
after(() => rmSync(root, { recursive: true, force: true }));

function scalerIn(t: TestContext) {
  const store = new Store(mkdtempSync(join(root, "data-")));
  t.after(() => store[Symbol.dispose]());
  return scalerOn(store);
}

function scalerOn(store: Store) {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => lines.push(String(JSON.parse(line).msg)) });
  return { scaler: new Scaler({ store, log }), lines };
}

function allUsing(cores: number, newestAtMs: number): LevelReader {
  return {
    ofReplica: () => ({ mean: cores, newestAtMs }),
    heldBack: () => undefined,
    ofService: () => undefined,
  };
}

/** One evaluation of a service whose replicas use so many cores each. */
function evaluateOnce(scaler: Scaler, cores: number, options: { second?: number; service?: Service } = {}) {
  const { second = 0, service = serviceOf() } = options;
  const nowMs = NOW_MS + second * 1_000;
  const subject = { service, desired: 1, replicas: [replicaOf("a")] };
  return scaler.evaluate([subject], allUsing(cores, nowMs), nowMs);
}

describe("the scaler", () => {
  test("returns a decision with its sentence for each service that has a policy", (t) => {
    const { scaler } = scalerIn(t);
    const { scaling: _, ...unscaled } = serviceOf({ id: "shop_db" });
    const subjects = [serviceOf(), unscaled].map((service) => ({
      service,
      desired: 1,
      replicas: [replicaOf("a")],
    }));
    const decisions = scaler.evaluate(subjects, allUsing(0.9, NOW_MS), NOW_MS);
    assert.deepEqual(
      decisions.map(({ service, sentence }) => [service, sentence]),
      [[SERVICE, "1 → 2: cpu at 90 % is above 70 %, so 2 are wanted"]],
    );
    assert.deepEqual(scaler.latest(SERVICE), decisions[0]);
    assert.equal(scaler.latest("shop_db"), undefined);
  });

  test("remembers from one evaluation to the next: the cooldown holds the second step", (t) => {
    const { scaler } = scalerIn(t);
    assert.equal(evaluateOnce(scaler, 0.9)[0]?.to, 2);
    const [second] = evaluateOnce(scaler, 0.9, { second: 1 });
    assert.deepEqual(
      second?.limits.map(({ limit }) => limit),
      ["cooldown"],
    );
  });

  test("starts afresh with another template, and when it is told to forget", (t) => {
    const { scaler } = scalerIn(t);
    evaluateOnce(scaler, 0.9);
    const changed = serviceOf({ templateHash: "second" });
    assert.equal(evaluateOnce(scaler, 0.9, { second: 1, service: changed })[0]?.to, 2);
    scaler.forget(SERVICE);
    assert.equal(scaler.latest(SERVICE), undefined);
    assert.equal(evaluateOnce(scaler, 0.9, { second: 2, service: changed })[0]?.to, 2);
  });

  test("goes by other labels at once, though they make the same replicas", (t) => {
    const { scaler } = scalerIn(t);
    evaluateOnce(scaler, 0.5);
    const stricter = serviceOf({ scaling: policyOf({ rules: [{ ...MAX_CPU_70, max: 0.4 }] }) });
    assert.equal(evaluateOnce(scaler, 0.5, { second: 1, service: stricter })[0]?.to, 2);
    // The same again in another object, as after a second `up`, is no other policy: the cooldown holds.
    const again = serviceOf({ scaling: policyOf({ rules: [{ ...MAX_CPU_70, max: 0.4 }] }) });
    assert.equal(evaluateOnce(scaler, 0.5, { second: 2, service: again })[0]?.to, 1);
  });

  test("decides the same again on all that it recorded, also what was recorded before a restart", async (t) => {
    const store = new Store(mkdtempSync(join(root, "data-")));
    t.after(() => store[Symbol.dispose]());
    for (const begun of [0, 100]) {
      const { scaler } = scalerOn(store);
      for (let second = begun; second < begun + 90; second += 1) {
        evaluateOnce(scaler, 0.4 + 0.35 * Math.sin(second), { second });
      }
      scaler.close();
    }
    const { recorded, identical, firstDifference } = await scalerOn(store).scaler.verify(SERVICE);
    assert.ok(recorded > 10, `${recorded} recorded`);
    assert.deepEqual([identical, firstDifference], [recorded, undefined]);
  });

  test("tells the first recorded evaluation that does not come out the same", async (t) => {
    const store = new Store(mkdtempSync(join(root, "data-")));
    t.after(() => store[Symbol.dispose]());
    const { scaler } = scalerOn(store);
    evaluateOnce(scaler, 0.5);
    evaluateOnce(scaler, 0.9, { second: 1 });
    store.run("UPDATE decisions SET evaluation = replace(evaluation, ':2', ':3') WHERE changed = 1");
    const { recorded, identical, firstDifference } = await scaler.verify(SERVICE);
    assert.deepEqual([recorded, identical, firstDifference?.atMs], [2, 1, NOW_MS + 1_000]);
    assert.match(firstDifference?.recorded ?? "", /"to":3/);
    assert.match(firstDifference?.replayed ?? "", /"to":2/);
  });

  test("says that it drops decisions which an earlier version recorded", (t) => {
    const store = new Store(mkdtempSync(join(root, "data-")));
    t.after(() => store[Symbol.dispose]());
    store.migrate({ room: TABLES.room, steps: TABLES.steps.slice(0, 1) });
    const { scaler, lines } = scalerOn(store);
    assert.deepEqual(lines, [
      "the decisions that an earlier version recorded cannot be decided again, and were dropped",
    ]);
    assert.equal(evaluateOnce(scaler, 0.9)[0]?.to, 2);
    assert.deepEqual(scalerOn(store).lines, []);
  });

  test("records every evaluation, and drops what is too old", (t) => {
    const { scaler } = scalerIn(t);
    for (let second = 0; second < 5; second += 1) evaluateOnce(scaler, 0.5, { second });
    const listed = () => scaler.decisions(SERVICE, { limit: 10, changesOnly: false });
    assert.deepEqual(
      listed().map(({ evaluations }) => evaluations),
      [5],
    );
    scaler.prune(NOW_MS + 29 * 86_400_000);
    assert.deepEqual(listed(), []);
  });
});

describe("an explanation", () => {
  test("is of the newest decision, or of the one in force at an instant", (t) => {
    const { scaler } = scalerIn(t);
    evaluateOnce(scaler, 0.5);
    evaluateOnce(scaler, 0.9, { second: 10 });
    const service = serviceOf();
    assert.equal(scaler.explain(service, undefined).decision?.to, 2);
    const earlier = scaler.explain(service, NOW_MS + 5_000);
    assert.equal(earlier.decision?.to, 1);
    assert.equal(earlier.lines[0], "stays at 1: cpu at 50 % is below 70 %");
  });

  test("says what is not known", (t) => {
    const { scaler } = scalerIn(t);
    const { scaling: _, ...unscaled } = serviceOf();
    assert.deepEqual(scaler.explain(unscaled, undefined), {
      lines: ["shop_web has no scaling rule and keeps its count"],
    });
    assert.deepEqual(scaler.explain(serviceOf(), undefined), { lines: ["shop_web was not evaluated yet"] });
    evaluateOnce(scaler, 0.5);
    assert.deepEqual(scaler.explain(serviceOf(), NOW_MS - 1), {
      lines: ["shop_web was not evaluated by then, or it is not kept"],
    });
  });
});

describe("a full disk", { skip: whyNoTmpfs() }, () => {
  test("holds every service, says so once, and lets scaling go on when there is room again", () => {
    const disk = join(root, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m,mode=0700", "flyball-test", disk]);
    using mounted = new DisposableStack();
    mounted.defer(() => execFileSync("umount", [disk]));
    const filler = join(disk, "filler");
    const { scaler, lines } = scalerOn(mounted.use(new Store(join(disk, "data"))));
    assert.equal(evaluateOnce(scaler, 0.9)[0]?.to, 2);
    fill(filler);

    // Services by the hundred: more than fits into the room that the file already has.
    const services = Array.from({ length: 500 }, (_, index) =>
      serviceOf({ id: `shop_${index}`, scaling: policyOf() }),
    );
    const evaluateAll = () =>
      scaler.evaluate(
        services.map((service) => ({ service, desired: 1, replicas: [replicaOf("a")] })),
        allUsing(0.9, NOW_MS),
        NOW_MS + 1_000,
      );
    assert.deepEqual(evaluateAll(), []);
    assert.deepEqual(evaluateAll(), []);
    assert.equal(scaler.latest("shop_0"), undefined);
    assert.deepEqual(lines, ["decisions cannot be recorded; scaling holds"]);

    rmSync(filler);
    const decisions = evaluateAll();
    // No cooldown holds them: what was not recorded did not happen.
    assert.deepEqual(new Set(decisions.map(({ to }) => to)), new Set([2]));
    assert.equal(decisions.length, services.length);
    assert.equal(lines.at(-1), "decisions are recorded again; scaling goes on");
    assert.equal(scaler.decisions("shop_0", { limit: 10, changesOnly: false }).length, 1);
  });
});

/** By halves, so that not one page is left. */
function fill(path: string): void {
  for (let size = 2 ** 20; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch (error) {
      assert.match(String(error), /ENOSPC/);
    }
  }
}

/** Why a small disk cannot be mounted here; false when it can. */
function whyNoTmpfs(): string | false {
  if (process.getuid?.() !== 0) return "needs root, to mount a small disk";
  const directory = mkdtempSync(join(tmpdir(), "flyball-mount-"));
  try {
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "flyball-test", directory]);
    if (mounted.status !== 0) return "needs the right to mount a small disk";
    spawnSync("umount", [directory]);
    return false;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
