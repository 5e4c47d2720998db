import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Series } from "../../collector/series.ts";
import type { ObservedReplica, ReplicaState, ScalingPolicy } from "../../core/types.ts";
import { type ScalingInput, STALE_AFTER_MS } from "../../scaler/decide.ts";
import { scalingInput, type UseReader } from "../../scaler/input.ts";
import { CALM, MAX_CPU_70, MAX_MEMORY_80, NOW_MS, policyOf, replicaOf, serviceOf } from "./builders.ts";

const HALF_A_CORE: UseReader = () => ({ mean: 0.5, newestAtMs: NOW_MS });
const SILENCE: UseReader = () => undefined;

function inputFor(
  replicas: readonly ObservedReplica[],
  readUse: UseReader = HALF_A_CORE,
  policy: ScalingPolicy = policyOf(),
): ScalingInput {
  const service = { ...serviceOf(), scaling: policy };
  return scalingInput({ service, desired: 3, replicas }, readUse, undefined, NOW_MS);
}

/** The spans that were asked for, in seconds before now. */
function spansRead(policy: ScalingPolicy, replica: ObservedReplica): [fromSecondsAgo: number, to: number][] {
  const spans: [number, number][] = [];
  const record: UseReader = (_replica, _metric, fromMs, toMs) => {
    spans.push([(NOW_MS - fromMs) / 1_000, (NOW_MS - toMs) / 1_000]);
    return { mean: 0.5, newestAtMs: NOW_MS };
  };
  inputFor([replica], record, policy);
  return spans;
}

describe("the input of a decision", () => {
  test("carries what the service is, what it should be, and what the last decision left", () => {
    const service = { ...serviceOf({ singleReplicaReason: "a fixed host port" }), scaling: policyOf() };
    assert.deepEqual(scalingInput({ service, desired: 2, replicas: [] }, SILENCE, CALM, NOW_MS), {
      nowMs: NOW_MS,
      service: "shop_web",
      policy: policyOf(),
      desired: 2,
      serving: [],
      single: true,
      memory: CALM,
    });
  });

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
    assert.equal(inputFor(replicas).serving.length, 1);
  });

  test("has each metric that a rule is about, and leaves out what was not read", () => {
    const onlyMemory: UseReader = (_replica, metric) =>
      metric === "memory" ? { mean: 300, newestAtMs: NOW_MS - 10 } : undefined;
    const policy = policyOf({ rules: [MAX_CPU_70, MAX_MEMORY_80] });
    assert.deepEqual(inputFor([replicaOf("a")], onlyMemory, policy).serving, [
      { memory: { mean: 300, burst: 300, newestAtMs: NOW_MS - 10 } },
    ]);
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
      const read: UseReader = ({ id }, _metric, fromMs, toMs) => series.window(id, "cpuCores", fromMs, toMs);
      const [serving] = inputFor([replicaOf("a")], read).serving;
      assert.equal(serving?.cpu?.burst?.toFixed(3), "0.950", `with ${jitterMs} ms`);
    }
  });

  test("keeps a silent replica among those that serve: that it says nothing is something to know", () => {
    assert.deepEqual(inputFor([replicaOf("a"), replicaOf("b")], SILENCE).serving, [{}, {}]);
  });

  test("counts a replica that became ready just now and was not read yet as still on its way", () => {
    const readyAgo = (agoMs: number) => replicaOf("a", { readyAtMs: NOW_MS - agoMs });
    assert.deepEqual(inputFor([readyAgo(0)], SILENCE).serving, []);
    assert.deepEqual(inputFor([readyAgo(STALE_AFTER_MS - 1)], SILENCE).serving, []);
    assert.deepEqual(inputFor([readyAgo(STALE_AFTER_MS)], SILENCE).serving, [{}]);
    assert.equal(inputFor([readyAgo(0)]).serving.length, 1);
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
