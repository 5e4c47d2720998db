import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Series } from "../../collector/series.ts";
import { STALE_AFTER_MS } from "../../core/staleness.ts";
import type { ObservedReplica, ReplicaState, ScalingPolicy } from "../../core/types.ts";
import { type LevelReader, type Observed, observe } from "../../scaler/observe.ts";
import { MAX_CPU_70, MAX_MEMORY_80, NOW_MS, policyOf, replicaOf, serviceOf } from "./builders.ts";

function readerOf(ofReplica: LevelReader["ofReplica"]): LevelReader {
  return { ofReplica, heldBack: () => undefined, ofService: () => undefined };
}

const HALF_A_CORE = readerOf(() => ({ mean: 0.5, newestAtMs: NOW_MS }));
const SILENCE = readerOf(() => undefined);

function observed(
  replicas: readonly ObservedReplica[],
  reader: LevelReader = HALF_A_CORE,
  policy: ScalingPolicy = policyOf(),
): Observed {
  return observe({ service: serviceOf({ scaling: policy }), desired: 3, replicas }, policy, reader, NOW_MS);
}

/** The spans that were asked for, in seconds before now. */
function spansRead(policy: ScalingPolicy, replica: ObservedReplica): [fromSecondsAgo: number, to: number][] {
  const spans: [number, number][] = [];
  const record = readerOf((_replica, _metric, fromMs, toMs) => {
    spans.push([(NOW_MS - fromMs) / 1_000, (NOW_MS - toMs) / 1_000]);
    return { mean: 0.5, newestAtMs: NOW_MS };
  });
  observed([replica], record, policy);
  return spans;
}

describe("what is observed of a service", () => {
  test("counts the replicas that run and are ready, and no other", () => {
    const states: ReplicaState[] = [
      "created",
      "starting",
      "running",
      "unhealthy",
      "paused",
      "restarting",
      "stopping",
      "exited",
    ];
    const replicas = states.map((state) => replicaOf(state, { state }));
    assert.equal(observed(replicas).serving, 1);
  });

  test("is summed for each rule, in shares of its capacity", () => {
    const reader = readerOf((replica, metric) => {
      if (metric === "memory") return { mean: 300, newestAtMs: NOW_MS - 10 };
      return { mean: replica.id === "a" ? 0.5 : 1, newestAtMs: NOW_MS - 20 };
    });
    const policy = policyOf({ rules: [{ ...MAX_CPU_70, capacity: 2 }, MAX_MEMORY_80] });
    assert.deepEqual(observed([replicaOf("a"), replicaOf("b")], reader, policy), {
      serving: 2,
      observations: [
        { read: 2, sum: 0.75, burstSum: 0.75, cautiousSum: 0.75, ageMs: 20 },
        { read: 2, sum: 0.6, burstSum: 0.6, cautiousSum: 0.6, ageMs: 10 },
      ],
    });
  });

  test("leaves out a metric that was not read, and only that one", () => {
    const onlyMemory = readerOf((_replica, metric) =>
      metric === "memory" ? { mean: 300, newestAtMs: NOW_MS } : undefined,
    );
    const { serving, observations } = observed(
      [replicaOf("a")],
      onlyMemory,
      policyOf({ rules: [MAX_CPU_70, MAX_MEMORY_80] }),
    );
    assert.deepEqual([serving, observations.map(({ read }) => read)], [1, [0, 1]]);
  });

  test("keeps the higher one of mean and last moments of each replica, for who must be careful", () => {
    const means: Record<string, readonly [mean: number, burst: number]> = { a: [0.9, 0.1], b: [0.2, 0.6] };
    const reader = readerOf(({ id }, _metric, fromMs) => {
      const [mean = 0, burst = 0] = means[id] ?? [];
      return { mean: fromMs === NOW_MS - 10_000 ? mean : burst, newestAtMs: NOW_MS };
    });
    const [cpu] = observed([replicaOf("a"), replicaOf("b")], reader).observations;
    assert.deepEqual(cpu, { read: 2, sum: 1.1, burstSum: 0.7, cautiousSum: 1.5, ageMs: 0 });
  });

  test("has the mean of how long replicas waited for CPU, of those where it can be read", () => {
    const waited: Record<string, number | undefined> = { a: 0.4, b: 0.2, c: undefined };
    const reader = { ...HALF_A_CORE, heldBack: ({ id }: ObservedReplica) => waited[id] };
    const heldBackOf = (...ids: string[]) =>
      observed(
        ids.map((id) => replicaOf(id)),
        reader,
      ).observations[0]?.heldBackRatio;
    assert.equal(heldBackOf("a", "b", "c")?.toFixed(3), "0.300");
    assert.equal(heldBackOf("c"), undefined);
  });

  test("takes a level of the service as a whole for the level of each replica that serves", () => {
    const reader: LevelReader = {
      ...SILENCE,
      ofService: (_service, { metric }) =>
        metric === "latency" ? { mean: 250, newestAtMs: NOW_MS - 1_000 } : undefined,
    };
    const policy = policyOf({
      rules: [
        { metric: "latency", max: 200 },
        { metric: "query", max: 5, expression: "queue_length" },
      ],
    });
    assert.deepEqual(observed([replicaOf("a"), replicaOf("b")], reader, policy), {
      serving: 2,
      observations: [
        { read: 2, sum: 500, burstSum: 500, cautiousSum: 500, ageMs: 1_000 },
        { read: 0, sum: 0, burstSum: 0, cautiousSum: 0, ageMs: 0 },
      ],
    });
  });

  test("looks for a jump in the last two readings, whether the one before them lies just inside two seconds or not", () => {
    for (const jitterMs of [-3, 0, 3]) {
      const series = new Series();
      for (const [agoMs, cpuCores] of [
        [3_002, 0.45],
        [2_002 + jitterMs, 0.45],
        [1_002, 0.9],
        [2, 1],
      ] as const) {
        series.append({ replica: "a", readAtMs: NOW_MS - agoMs, cpuCores });
      }
      const reader = readerOf(({ id }, _metric, fromMs, toMs) => series.window(id, "cpuCores", fromMs, toMs));
      const [cpu] = observed([replicaOf("a")], reader).observations;
      assert.equal(cpu?.burstSum.toFixed(3), "0.950", `with ${jitterMs} ms`);
    }
  });

  test("keeps a silent replica among those that serve: that it says nothing is something to know", () => {
    const { serving, observations } = observed([replicaOf("a"), replicaOf("b")], SILENCE);
    assert.deepEqual([serving, observations[0]?.read], [2, 0]);
  });

  test("counts a replica that became ready just now and was not read yet as still on its way", () => {
    const readyAgo = (agoMs: number) => replicaOf("a", { readyAtMs: NOW_MS - agoMs });
    assert.equal(observed([readyAgo(0)], SILENCE).serving, 0);
    assert.equal(observed([readyAgo(STALE_AFTER_MS - 1)], SILENCE).serving, 0);
    assert.equal(observed([readyAgo(STALE_AFTER_MS)], SILENCE).serving, 1);
    assert.equal(observed([readyAgo(0)]).serving, 1);
  });
});

describe("the readings of a replica", () => {
  test("are those of the window, and of its last fifth for a jump, less half a reading", () => {
    assert.deepEqual(spansRead(policyOf({ windowMs: 30_000 }), replicaOf("a")), [
      [30, 0],
      [5.5, 0],
    ]);
  });

  test("for a jump are two at least", () => {
    assert.deepEqual(spansRead(policyOf({ windowMs: 4_000 }), replicaOf("a")), [
      [4, 0],
      [1.5, 0],
    ]);
  });

  test("of the time before it was ready are no load", () => {
    const replica = replicaOf("a", { readyAtMs: NOW_MS - 5_000 });
    assert.deepEqual(spansRead(policyOf({ windowMs: 30_000 }), replica), [
      [5, 0],
      [5, 0],
    ]);
  });

  test("all count when it is not known since when it is ready, or when the clock was set back since", () => {
    const { readyAtMs: _, ...unknown } = replicaOf("a");
    for (const replica of [unknown, replicaOf("a", { readyAtMs: NOW_MS + 86_400_000 })]) {
      assert.deepEqual(spansRead(policyOf(), replica), [
        [10, 0],
        [1.5, 0],
      ]);
    }
  });
});
