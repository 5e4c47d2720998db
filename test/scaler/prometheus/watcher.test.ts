import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { systemClock } from "../../../core/clock.ts";
import { createLog } from "../../../core/log.ts";
import type { QueryOutcome } from "../../../scaler/prometheus/answer.ts";
import { trouble } from "../../../scaler/prometheus/answer.ts";
import { RecentValues } from "../../../scaler/prometheus/recent-values.ts";
import { Turnstile } from "../../../scaler/prometheus/turnstile.ts";
import { QueryWatcher, type QueryWatcherOptions } from "../../../scaler/prometheus/watcher.ts";

/** A watcher whose questions are answered by `ask`, and what it logs. */
function watching(ask: QueryWatcherOptions["ask"], options: Partial<QueryWatcherOptions> = {}) {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const watcher = new QueryWatcher({
    ask,
    clock: systemClock,
    log,
    intervalMs: 5,
    maxBackoffMs: 20,
    ...options,
  });
  return { watcher, lines };
}

async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, "did not come to hold");
    await sleep(2);
  }
}

const ALL_TIME = [0, Number.POSITIVE_INFINITY] as const;

describe("a watcher of queries", () => {
  test("asks each expression once for all that name it, again and again, never twice at a time", async () => {
    const asked = new Map<string, number>();
    const underWay = new Set<string>();
    const { watcher } = watching(async (expression) => {
      assert.ok(!underWay.has(expression));
      underWay.add(expression);
      asked.set(expression, (asked.get(expression) ?? 0) + 1);
      await sleep(8);
      underWay.delete(expression);
      return { value: expression.length };
    });
    await using _ = watcher;
    watcher.setExpressions(["up", "up", "sum(up)"]);
    watcher.setExpressions(["sum(up)", "up"]);
    await until(() => (asked.get("up") ?? 0) >= 4 && (asked.get("sum(up)") ?? 0) >= 4);
    assert.equal(watcher.reading("up", ...ALL_TIME)?.mean, 2);
    assert.equal(watcher.reading("sum(up)", ...ALL_TIME)?.mean, 7);
    assert.equal(watcher.reading("other", ...ALL_TIME), undefined);
  });

  test("calls off and forgets what is asked for no more", async () => {
    const calledOff: string[] = [];
    const { watcher } = watching(async (expression, signal) => {
      if (expression === "quick") return { value: 1 };
      await sleep(60_000, undefined, { signal }).catch(() => calledOff.push(expression));
      signal.throwIfAborted();
      return { value: 2 };
    });
    await using _ = watcher;
    watcher.setExpressions(["quick", "slow"]);
    await until(() => watcher.reading("quick", ...ALL_TIME) !== undefined);
    watcher.setExpressions(["quick"]);
    await until(() => calledOff.length === 1);
    assert.deepEqual(calledOff, ["slow"]);
    watcher.setExpressions([]);
    assert.equal(watcher.reading("quick", ...ALL_TIME), undefined);
  });

  test("tells a trouble once, keeps what it has read, and tells when it is over", async () => {
    let outcome: QueryOutcome = { value: 3 };
    let asked = 0;
    const { watcher, lines } = watching(async () => {
      asked += 1;
      return outcome;
    });
    await using _ = watcher;
    watcher.setExpressions(["up"]);
    await until(() => asked >= 2);
    assert.equal(watcher.trouble("up"), undefined);
    outcome = trouble("refused", "parse error");
    await until(() => watcher.trouble("up") !== undefined);
    const askedThen = asked;
    await until(() => asked >= askedThen + 3);
    assert.deepEqual(watcher.trouble("up"), { kind: "refused", message: "parse error" });
    assert.equal(watcher.reading("up", ...ALL_TIME)?.mean, 3);
    outcome = { value: 5 };
    await until(() => watcher.trouble("up") === undefined);
    assert.deepEqual(lines, ["the query gives no number: parse error", "the query gives a number again"]);
  });

  test("asks less often while the server cannot answer, and as often as ever while there is just no series", async () => {
    const asked = { down: 0, empty: 0 };
    const { watcher } = watching(
      async (expression) => {
        if (expression === "down") {
          asked.down += 1;
          return trouble("unreachable", "down");
        }
        asked.empty += 1;
        return trouble("empty", "none");
      },
      { maxBackoffMs: 60_000 },
    );
    await using _ = watcher;
    watcher.setExpressions(["down", "empty"]);
    await until(() => asked.empty >= 30);
    assert.ok(asked.down < 10, `asked ${asked.down} times`);
  });

  test("asks no more than eight at once, and everybody in the end", async () => {
    let underWay = 0;
    let most = 0;
    const { watcher } = watching(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(3);
      underWay -= 1;
      return { value: 1 };
    });
    await using _ = watcher;
    const expressions = Array.from({ length: 100 }, (_, n) => `up == ${n}`);
    watcher.setExpressions(expressions);
    await until(() => expressions.every((each) => watcher.reading(each, ...ALL_TIME) !== undefined));
    assert.equal(most, 8);
  });
});

describe("recent values", () => {
  test("are read in a span that is open at its start", () => {
    const values = new RecentValues();
    for (const [atMs, value] of [
      [1_000, 1],
      [3_000, 3],
      [5_000, 8],
    ] as const) {
      values.add(atMs, value);
    }
    assert.deepEqual(values.reading(1_000, 5_000), { mean: 5.5, newestAtMs: 5_000 });
    assert.deepEqual(values.reading(0, 4_000), { mean: 2, newestAtMs: 3_000 });
    assert.equal(values.reading(3_000, 4_999), undefined);
    assert.equal(values.reading(5_000, 9_000), undefined);
  });

  test("are kept for a quarter of an hour, and not beyond a clock that was set back", () => {
    const values = new RecentValues();
    for (let atMs = 0; atMs < 3_600_000; atMs += 2_000) values.add(atMs, atMs);
    assert.equal(values.reading(0, 3_598_000 - 900_000), undefined);
    values.add(3_000_000, 7);
    assert.deepEqual(values.reading(2_999_999, Number.POSITIVE_INFINITY), { mean: 7, newestAtMs: 3_000_000 });
  });
});

describe("a turnstile", () => {
  test("lets the next one through when one has gone, and not who gave up", async () => {
    const turnstile = new Turnstile(1);
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const never = new AbortController().signal;
    const abort = new AbortController();
    const enter = (name: string, signal: AbortSignal, work?: Promise<void>) =>
      turnstile.pass(async () => {
        order.push(name);
        await work;
      }, signal);
    const [a, b, c] = [enter("a", never, first.promise), enter("b", abort.signal), enter("c", never)];
    await turn();
    assert.deepEqual(order, ["a"]);
    abort.abort(new Error("gave up"));
    await assert.rejects(b, /gave up/);
    first.resolve();
    await Promise.all([a, c]);
    assert.deepEqual(order, ["a", "c"]);
  });

  test("stays open when the work fails, and when who was called gives up at that moment", async () => {
    const turnstile = new Turnstile(1);
    const never = new AbortController().signal;
    await assert.rejects(
      turnstile.pass(() => Promise.reject(new Error("failed")), never),
      /failed/,
    );
    const abort = new AbortController();
    const first = turnstile.pass(async () => abort.signal, never);
    const called = turnstile.pass(async () => "called", abort.signal);
    const last = turnstile.pass(async () => "last", never);
    await first;
    abort.abort(new Error("gave up"));
    await Promise.allSettled([called]);
    assert.equal(await last, "last");
  });
});
