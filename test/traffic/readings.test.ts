import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUCKETS_US, quantileMs } from "../../traffic/latency.ts";
import { type Accounts, account, type Counted, readingsOf, type Snapshot } from "../../traffic/readings.ts";

const NAMES = {
  serviceOf: (backend: string) => (backend.startsWith("web:") ? "web" : undefined),
  replicaOf: (server: string) => (server === "gone" ? undefined : server),
};

function counted(requests: number, more: Partial<Counted> = {}): Counted {
  return { backend: "web:80", requests, errors: 0, open: 0, queued: 0, ...more };
}

/** So many answers in one bucket. */
function answers(bucket: number, count: number): number[] {
  return [...BUCKETS_US, 0].map((_, index) => (index === bucket ? count : 0));
}

function read(snapshots: readonly Partial<Snapshot>[]) {
  const accounts = snapshots.reduce<Accounts | undefined>(
    (before, snapshot, index) =>
      account(
        before,
        { atMs: 1_000 * index, epoch: 1, counted: [], latencies: new Map(), ...snapshot },
        NAMES,
      ),
    undefined,
  );
  return accounts === undefined ? [] : readingsOf(accounts);
}

describe("what the balancer counted", () => {
  test("is in the totals from the first look on, and in rates from the second", () => {
    const first = { counted: [counted(100, { errors: 5, open: 3, queued: 1 })] };
    assert.deepEqual(read([first]), [
      { service: "web", open: 3, queued: 1, requestsTotal: 100, errorsTotal: 5, readAtMs: 0 },
    ]);
    const [reading] = read([first, { counted: [counted(150, { errors: 10 })] }]);
    assert.deepEqual(reading, {
      service: "web",
      open: 0,
      queued: 0,
      requestsTotal: 150,
      errorsTotal: 10,
      readAtMs: 1_000,
      requestsPerSecond: 50,
      errorRatio: 0.1,
    });
  });

  test("is told for each replica, over all ports of its service", () => {
    const server = { server: "a" };
    const two = (requests: number) => [
      counted(requests, server),
      counted(2 * requests, { ...server, backend: "web:81" }),
      counted(7, { server: "gone" }),
      counted(7, { backend: "other:80" }),
    ];
    assert.deepEqual(
      read([{ counted: two(0) }, { counted: two(10) }]).map(({ replica, requestsPerSecond }) => [
        replica,
        requestsPerSecond,
      ]),
      [["a", 30]],
    );
  });

  test("goes on where another process begins at zero, be its counts smaller or not", () => {
    for (const after of [20, 300]) {
      const [reading] = read([
        { counted: [counted(100)] },
        { counted: [counted(200)] },
        { epoch: 2, counted: [counted(after)] },
      ]);
      assert.equal(reading?.requestsTotal, 200 + after);
    }
  });

  test("of long ago is in no rate", () => {
    const steps = [0, 1000, 1000, 1000, 1000].map((requests) => ({ counted: [counted(requests)] }));
    assert.equal(read(steps)[0]?.requestsPerSecond, 0);
    assert.equal(read(steps)[0]?.errorRatio, undefined);
  });

  test("has a latency of the last answers only, of each replica and of all", () => {
    const at = (slow: number, fast: number) => ({
      counted: [counted(0), counted(0, { server: "a" }), counted(0, { server: "b" })],
      latencies: new Map([
        ["a", answers(12, slow)],
        ["b", answers(0, fast)],
      ]),
    });
    const readings = read([at(1_000, 0), at(1_100, 900)]);
    const latencyOf = (replica?: string) => readings.find((one) => one.replica === replica)?.latencyMs ?? 0;
    assert.ok(latencyOf("a") > 160 && latencyOf("a") <= 250, String(latencyOf("a")));
    assert.ok(latencyOf("b") > 0 && latencyOf("b") <= 1, String(latencyOf("b")));
    assert.ok(latencyOf() > 160 && latencyOf() <= 250, "one answer in ten is slow");
  });
});

describe("a quantile of buckets", () => {
  test("lies within the bucket that holds it", () => {
    assert.equal(quantileMs(answers(0, 100), 0.5), 0.5);
    assert.equal(quantileMs(answers(BUCKETS_US.length, 3), 0.95), 10_000);
    assert.equal(quantileMs(answers(0, 0), 0.95), undefined);
    const mixed = answers(2, 95).map((count, index) => (index === 10 ? 5 : count));
    assert.equal(quantileMs(mixed, 0.95), 3);
  });
});
