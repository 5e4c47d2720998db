import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { Store } from "../../core/store.ts";
import type { Evaluation } from "../../core/types.ts";
import { DAY_MS, HOUR_MS } from "../../core/units.ts";
import { decide } from "../../scaler/decide.ts";
import { Governor } from "../../scaler/governor.ts";
import { DecisionJournal } from "../../scaler/journal.ts";
import { type Recorded, replay } from "../../scaler/record.ts";
import { inputOf, NOW_MS, policyOf, SERVICE, targetOf, usingCores } from "./builders.ts";

let root: string;
before(() => {
  root = mkdtempSync(join(tmpdir(), "flyball-journal-"));
});
after(() => rmSync(root, { recursive: true, force: true }));

function opened(t: TestContext): { journal: DecisionJournal; store: Store } {
  const store = new Store(mkdtempSync(join(root, "data-")));
  t.after(() => store[Symbol.dispose]());
  return { journal: new DecisionJournal(store), store };
}

const POLICY = policyOf();

/** A record so many seconds from now, with the count as it is unless told otherwise. */
function recordAt(second: number, changes: Partial<Evaluation> = {}, more: Partial<Recorded> = {}): Recorded {
  const nowMs = NOW_MS + second * 1_000;
  const service = changes.service ?? SERVICE;
  const input = { ...inputOf({ serving: usingCores(0.5, 0.5), policy: POLICY }), nowMs, service };
  const evaluation = { ...decide(input).evaluation, ...changes };
  return { input, evaluation, mode: "live", startupMs: 12_000, ...more };
}

const EVERYTHING = { limit: 1_000, changesOnly: false };

describe("the journal of decisions", () => {
  test("gives a record back as it was recorded, and it decides the same again", (t) => {
    const { journal } = opened(t);
    const input = {
      ...inputOf({ serving: usingCores(0.9, 0.9123, undefined), heldBackRatio: 0.3, policy: targetOf() }),
      bounds: { minReplicas: 2, maxReplicas: 4, schedule: "0 8 * * *" },
      oftenNeeded: { replicas: 3, gapMs: 61_234 },
      forecast: { replicas: 4, forMs: NOW_MS + 60_000 },
      memory: {
        lastOutAtMs: NOW_MS - 1_234,
        need: { windowMs: 30_000, startedAtMs: NOW_MS - 2_000, peaks: [3, 2, 1] },
        scaleInsAtMs: [NOW_MS - 61_000, NOW_MS - 1_000],
      },
    };
    const { evaluation } = decide(input);
    const record: Recorded = { input, evaluation, mode: "shadow", startupMs: 12_000 };
    journal.record([record]);
    const [entry, ...others] = journal.list(SERVICE, EVERYTHING);
    assert.deepEqual(others, []);
    assert.deepEqual(entry, { ...record, evaluations: 1, firstAtMs: NOW_MS });
    assert.ok(entry !== undefined);
    const again = replay(entry);
    assert.equal(again.recorded, JSON.stringify(evaluation));
    assert.equal(again.replayed, again.recorded);
  });

  test("makes one entry of evaluations in a row that say the same, with the newest of them", (t) => {
    const { journal, store } = opened(t);
    for (let second = 0; second < 100; second += 1) journal.record([recordAt(second)]);
    const expected = { ...recordAt(99), evaluations: 100, firstAtMs: NOW_MS };
    assert.deepEqual(journal.list(SERVICE, EVERYTHING), [expected]);
    journal.flush();
    assert.deepEqual(new DecisionJournal(store).list(SERVICE, EVERYTHING), [expected]);
  });

  test("writes each half a minute that a run goes on, so that a kill costs no more than that", (t) => {
    const { journal, store } = opened(t);
    for (let second = 0; second < 100; second += 1) {
      journal.record([recordAt(second)]);
      const [onDisk] = new DecisionJournal(store).list(SERVICE, EVERYTHING);
      assert.ok(onDisk !== undefined && onDisk.evaluations > second - 30, `second ${second}`);
    }
  });

  test("writes how long a run was when it ends", (t) => {
    const { journal, store } = opened(t);
    for (const second of [0, 1, 2]) journal.record([recordAt(second)]);
    journal.record([recordAt(3, { to: 3 })]);
    assert.deepEqual(
      new DecisionJournal(store).list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      [1, 3],
    );
  });

  test("ends a run after an hour", (t) => {
    const { journal } = opened(t);
    for (const second of [0, 3_599, 3_600, 3_601]) journal.record([recordAt(second)]);
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      [2, 2],
    );
  });

  test("begins a new entry when a verdict, a limit or the count is another", (t) => {
    const { journal } = opened(t);
    const [verdict] = recordAt(0).evaluation.verdicts;
    assert.ok(verdict !== undefined);
    const different: Partial<Evaluation>[] = [
      {},
      { verdicts: [{ ...verdict, wants: "in" }] },
      { limits: [{ limit: "cooldown", from: 3, to: 2, remainingMs: 9_000 }] },
      { limits: [{ limit: "dry run", from: 3, to: 2 }] },
      { wanted: 3 },
      { from: 3, to: 3, wanted: 3 },
      {},
    ];
    for (const [second, changes] of different.entries()) journal.record([recordAt(second, changes)]);
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      different.map(() => 1),
    );
  });

  test("begins a new entry with another policy, and when it is only watched", (t) => {
    const { journal } = opened(t);
    const { input } = recordAt(1);
    journal.record([recordAt(0)]);
    journal.record([recordAt(1, {}, { input: { ...input, policy: policyOf({ maxReplicas: 7 }) } })]);
    journal.record([recordAt(2, {}, { mode: "paused" })]);
    const entries = journal.list(SERVICE, EVERYTHING);
    assert.deepEqual(
      entries.map((entry) => [entry.mode, entry.input.policy.maxReplicas]),
      [
        ["paused", 10],
        ["live", 7],
        ["live", 10],
      ],
    );
  });

  test("goes on with an entry while a limit only has less time left", (t) => {
    const { journal } = opened(t);
    for (const second of [0, 1, 2]) {
      const remainingMs = 9_000 - second * 1_000;
      journal.record([
        recordAt(second, { wanted: 3, limits: [{ limit: "cooldown", from: 3, to: 2, remainingMs }] }),
      ]);
    }
    assert.equal(journal.list(SERVICE, EVERYTHING).length, 1);
  });

  test("keeps each change for itself, even two that look the same", (t) => {
    const { journal } = opened(t);
    journal.record([recordAt(0, { to: 3 })]);
    journal.record([recordAt(1, { to: 3 })]);
    assert.equal(journal.list(SERVICE, EVERYTHING).length, 2);
  });

  test("lists the newest first, as many as asked for, changes only when asked for", (t) => {
    const { journal } = opened(t);
    journal.record([recordAt(0)]);
    journal.record([recordAt(1, { to: 3 })]);
    journal.record([recordAt(2, { from: 3, to: 3 })]);
    journal.record([recordAt(3, { from: 3, to: 4 })]);
    const countsOf = (query: { limit: number; changesOnly: boolean }) =>
      journal.list(SERVICE, query).map(({ evaluation }) => evaluation.to);
    assert.deepEqual(countsOf(EVERYTHING), [4, 3, 3, 2]);
    assert.deepEqual(countsOf({ limit: 2, changesOnly: false }), [4, 3]);
    assert.deepEqual(countsOf({ limit: 10, changesOnly: true }), [4, 3]);
    assert.deepEqual(journal.list("shop_db", EVERYTHING), []);
  });

  test("names the decision that was in force at an instant", (t) => {
    const { journal } = opened(t);
    journal.record([recordAt(10)]);
    journal.record([recordAt(11)]);
    journal.record([recordAt(20, { to: 3 })]);
    const countAt = (second: number) => journal.at(SERVICE, NOW_MS + second * 1_000)?.evaluation.to;
    assert.deepEqual(
      [countAt(9), countAt(10), countAt(15), countAt(20), countAt(1_000)],
      [undefined, 2, 2, 3, 3],
    );
  });

  test("keeps services apart", (t) => {
    const { journal } = opened(t);
    for (const second of [0, 1]) {
      journal.record([recordAt(second), recordAt(second, { service: "shop_api", from: 5, to: 5 })]);
    }
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluation, evaluations }) => [evaluation.to, evaluations]),
      [[2, 2]],
    );
    assert.deepEqual(
      journal.list("shop_api", EVERYTHING).map(({ evaluation, evaluations }) => [evaluation.to, evaluations]),
      [[5, 2]],
    );
  });

  test("is still there after a restart, and goes on with an entry of its own", (t) => {
    const { journal, store } = opened(t);
    journal.record([recordAt(0)]);
    const restarted = new DecisionJournal(store);
    restarted.record([recordAt(1)]);
    assert.deepEqual(
      restarted.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      [1, 1],
    );
  });
});

describe("a record of several decisions", () => {
  /** No time that can be written: the second of the two cannot be. */
  const impossible = recordAt(1, { service: "shop_api", atMs: Number.NaN });

  test("is kept whole or not at all", (t) => {
    const { journal } = opened(t);
    assert.throws(() => journal.record([recordAt(1), impossible]), { code: "STORE_UNUSABLE" });
    assert.deepEqual(journal.list(SERVICE, EVERYTHING), []);
  });

  test("that was not kept leaves no entry that a later one would be added to", (t) => {
    const { journal } = opened(t);
    assert.throws(() => journal.record([recordAt(1), impossible]));
    journal.record([recordAt(2, { service: "shop_db", from: 7, to: 7 })]);
    journal.record([recordAt(3)]);
    assert.deepEqual(
      journal.list("shop_db", EVERYTHING).map(({ evaluation, evaluations }) => [evaluation.to, evaluations]),
      [[7, 1]],
    );
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluation, evaluations }) => [evaluation.to, evaluations]),
      [[2, 1]],
    );
  });
});

describe("pruning", () => {
  test("drops what began more than 28 days ago", (t) => {
    const { journal } = opened(t);
    journal.record([recordAt(0, { to: 3 })]);
    journal.record([recordAt(100, { from: 3, to: 3 }), recordAt(100, { service: "shop_api" })]);
    journal.prune(NOW_MS + 28 * DAY_MS + 50_000);
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ firstAtMs }) => firstAtMs),
      [NOW_MS + 100_000],
    );
    assert.equal(journal.list("shop_api", EVERYTHING).length, 1);
  });

  test("of the entry that a service is at makes it begin a new one", (t) => {
    const { journal } = opened(t);
    journal.record([recordAt(0)]);
    const laterSecond = (29 * DAY_MS) / 1_000;
    journal.prune(NOW_MS + 29 * DAY_MS);
    journal.record([recordAt(laterSecond, { service: "shop_api", from: 5, to: 5 })]);
    journal.record([recordAt(laterSecond + 1)]);
    assert.deepEqual(
      ["shop_api", SERVICE].flatMap((service) =>
        journal.list(service, EVERYTHING).map(({ evaluation }) => evaluation.to),
      ),
      [5, 2],
    );
  });
});

describe("what an evaluation takes on disk", () => {
  const bytesOf = (store: Store) => {
    const [pages, size] = ["page_count", "page_size"].map((name) => store.get(`PRAGMA ${name}`)?.[name]);
    return Number(pages) * Number(size);
  };

  test("is at most 500 bytes on average, over a day of a service with a noisy load", (t) => {
    const { journal, store } = opened(t);
    const empty = bytesOf(store);
    const { stabilizationMs: _, ...policy } = targetOf();
    const governor = new Governor(policy);
    let desired = 4;
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const SECONDS = DAY_MS / 1_000;
    let rows = 0;
    for (let second = 0; second < SECONDS; second += 1) {
      const nowMs = NOW_MS + second * 1_000;
      const load = 2.4 + 1.2 * Math.sin((2 * Math.PI * nowMs) / (HOUR_MS * 6)) + 0.9 * (random() - 0.5);
      const burst = load + 0.3 * (random() - 0.5);
      const cautiousSum = Math.max(load, burst);
      const observation = { read: desired, sum: load, burstSum: burst, cautiousSum, ageMs: 1_000 * random() };
      const situation = { nowMs, service: SERVICE, desired, serving: desired, observations: [observation] };
      const { input, output } = governor.evaluate({ ...situation, single: false }, 12_000);
      governor.commit(output);
      journal.record([{ input, evaluation: output.evaluation, mode: "live", startupMs: 12_000 }]);
      desired = output.evaluation.to;
    }
    journal.flush();
    rows = Number(store.get("SELECT count(*) AS rows FROM decisions")?.["rows"]);
    const bytes = bytesOf(store) - empty;
    t.diagnostic(
      `${Math.round(bytes / SECONDS)} bytes an evaluation, ${Math.round(bytes / rows)} bytes a row, ${rows} rows`,
    );
    assert.ok(bytes / SECONDS <= 500, `${bytes / SECONDS} bytes an evaluation`);
    assert.ok(bytes / rows <= 500, `${bytes / rows} bytes a row`);
  });
});
