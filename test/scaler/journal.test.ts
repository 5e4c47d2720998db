import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { Store } from "../../core/store.ts";
import type { Decision } from "../../core/types.ts";
import { DecisionJournal } from "../../scaler/journal.ts";
import { NOW_MS, SERVICE } from "./builders.ts";

const DAY_MS = 86_400_000;

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

/** A decision so many seconds from now, with the count as it is unless told otherwise. */
function decisionAt(second: number, changes: Partial<Decision> = {}): Decision {
  return {
    service: SERVICE,
    atMs: NOW_MS + second * 1_000,
    from: 2,
    wanted: 2,
    to: 2,
    verdicts: [
      {
        metric: "cpu",
        wants: "hold",
        level: 0.5,
        burstLevel: 0.5,
        max: 0.7,
        replicasRead: 2,
        replicasServing: 2,
      },
    ],
    limits: [],
    sentence: `what was seen at second ${second}`,
    ...changes,
  };
}

const EVERYTHING = { limit: 1_000, changesOnly: false };

describe("the journal of decisions", () => {
  test("gives a decision back as it was recorded", (t) => {
    const { journal } = opened(t);
    const decision = decisionAt(0, { to: 3, wanted: 4, limits: [{ limit: "bounds", from: 4, to: 3 }] });
    journal.record([decision]);
    assert.deepEqual(journal.list(SERVICE, EVERYTHING), [
      { ...decision, evaluations: 1, lastAtMs: decision.atMs },
    ]);
  });

  test("makes one entry of evaluations in a row that say the same, with the words of the newest", (t) => {
    const { journal } = opened(t);
    for (let second = 0; second < 100; second += 1) journal.record([decisionAt(second)]);
    const [entry, ...others] = journal.list(SERVICE, EVERYTHING);
    assert.deepEqual(others, []);
    assert.equal(entry?.evaluations, 100);
    assert.equal(entry?.atMs, NOW_MS);
    assert.equal(entry?.lastAtMs, NOW_MS + 99_000);
    assert.equal(entry?.sentence, "what was seen at second 99");
  });

  test("begins a new entry when a verdict, a limit or the count is another", (t) => {
    const { journal } = opened(t);
    const [verdict] = decisionAt(0).verdicts;
    assert.ok(verdict !== undefined);
    const different: Partial<Decision>[] = [
      {},
      { verdicts: [{ ...verdict, wants: "in" }] },
      { limits: [{ limit: "cooldown", from: 3, to: 2, remainingMs: 9_000 }] },
      { limits: [{ limit: "dry run", from: 3, to: 2 }] },
      { wanted: 3 },
      { from: 3, to: 3, wanted: 3 },
      {},
    ];
    for (const [second, changes] of different.entries()) journal.record([decisionAt(second, changes)]);
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      different.map(() => 1),
    );
  });

  test("goes on with an entry while a limit only has less time left", (t) => {
    const { journal } = opened(t);
    for (const second of [0, 1, 2]) {
      const remainingMs = 9_000 - second * 1_000;
      journal.record([
        decisionAt(second, { wanted: 3, limits: [{ limit: "cooldown", from: 3, to: 2, remainingMs }] }),
      ]);
    }
    assert.equal(journal.list(SERVICE, EVERYTHING).length, 1);
  });

  test("keeps each change for itself, even two that look the same", (t) => {
    const { journal } = opened(t);
    journal.record([decisionAt(0, { to: 3 })]);
    journal.record([decisionAt(1, { to: 3 })]);
    assert.equal(journal.list(SERVICE, EVERYTHING).length, 2);
  });

  test("lists the newest first, as many as asked for, changes only when asked for", (t) => {
    const { journal } = opened(t);
    journal.record([decisionAt(0)]);
    journal.record([decisionAt(1, { to: 3 })]);
    journal.record([decisionAt(2, { from: 3, to: 3 })]);
    journal.record([decisionAt(3, { from: 3, to: 4 })]);
    const countsOf = (query: { limit: number; changesOnly: boolean }) =>
      journal.list(SERVICE, query).map(({ to }) => to);
    assert.deepEqual(countsOf(EVERYTHING), [4, 3, 3, 2]);
    assert.deepEqual(countsOf({ limit: 2, changesOnly: false }), [4, 3]);
    assert.deepEqual(countsOf({ limit: 10, changesOnly: true }), [4, 3]);
    assert.deepEqual(journal.list("shop_db", EVERYTHING), []);
  });

  test("names the decision that was in force at an instant", (t) => {
    const { journal } = opened(t);
    journal.record([decisionAt(10)]);
    journal.record([decisionAt(11)]);
    journal.record([decisionAt(20, { to: 3 })]);
    const countAt = (second: number) => journal.at(SERVICE, NOW_MS + second * 1_000)?.to;
    assert.deepEqual(
      [countAt(9), countAt(10), countAt(15), countAt(20), countAt(1_000)],
      [undefined, 2, 2, 3, 3],
    );
  });

  test("keeps services apart", (t) => {
    const { journal } = opened(t);
    for (const second of [0, 1]) {
      journal.record([decisionAt(second), decisionAt(second, { service: "shop_api", from: 5, to: 5 })]);
    }
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ to, evaluations }) => [to, evaluations]),
      [[2, 2]],
    );
    assert.deepEqual(
      journal.list("shop_api", EVERYTHING).map(({ to, evaluations }) => [to, evaluations]),
      [[5, 2]],
    );
  });

  test("is still there after a restart, and goes on with an entry of its own", (t) => {
    const { journal, store } = opened(t);
    journal.record([decisionAt(0)]);
    const restarted = new DecisionJournal(store);
    restarted.record([decisionAt(1)]);
    assert.deepEqual(
      restarted.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      [1, 1],
    );
  });
});

describe("a record of several decisions", () => {
  /** Not JSON: the second of the two cannot be written. */
  const impossible = decisionAt(1, { service: "shop_api", atMs: Number.NaN });

  test("is kept whole or not at all", (t) => {
    const { journal } = opened(t);
    assert.throws(() => journal.record([decisionAt(1), impossible]), { code: "STORE_UNUSABLE" });
    assert.deepEqual(journal.list(SERVICE, EVERYTHING), []);
  });

  test("that was not kept leaves no entry that a later one would be added to", (t) => {
    const { journal } = opened(t);
    assert.throws(() => journal.record([decisionAt(1), impossible]));
    journal.record([decisionAt(2, { service: "shop_db", from: 7, to: 7 })]);
    journal.record([decisionAt(3)]);
    assert.deepEqual(
      journal.list("shop_db", EVERYTHING).map(({ to, evaluations }) => [to, evaluations]),
      [[7, 1]],
    );
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ to, evaluations }) => [to, evaluations]),
      [[2, 1]],
    );
  });
});

describe("pruning", () => {
  test("drops what ended more than 28 days ago, and keeps a long entry that did not", (t) => {
    const { journal } = opened(t);
    journal.record([decisionAt(0, { to: 3 })]);
    journal.record([decisionAt(1, { from: 3, to: 3 })]);
    journal.record([decisionAt(100, { from: 3, to: 3 })]);
    journal.prune(NOW_MS + 28 * DAY_MS + 50_000);
    assert.deepEqual(
      journal.list(SERVICE, EVERYTHING).map(({ evaluations }) => evaluations),
      [2],
    );
  });

  test("of the entry that a service is at makes it begin a new one", (t) => {
    const { journal } = opened(t);
    journal.record([decisionAt(0)]);
    const laterSecond = (29 * DAY_MS) / 1_000;
    journal.prune(NOW_MS + 29 * DAY_MS);
    journal.record([decisionAt(laterSecond, { service: "shop_api", from: 5, to: 5 })]);
    journal.record([decisionAt(laterSecond + 1)]);
    assert.deepEqual(
      ["shop_api", SERVICE].flatMap((service) => journal.list(service, EVERYTHING).map(({ to }) => to)),
      [5, 2],
    );
  });
});
