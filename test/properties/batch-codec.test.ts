import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Batch } from "../../collector/batch.ts";
import { decodeBatch, encodeBatch, isSamplesMessage } from "../../collector/batch-codec.ts";
import type { Sample } from "../../core/types.ts";

const value = fc
  .double({ min: 0, noNaN: true, noDefaultInfinity: true })
  .filter((number) => !Object.is(number, -0));
const instant = fc.integer({ min: 0, max: 4_000_000_000_000 });

const optionalFields = fc.record(
  {
    cpuUsageSeconds: value,
    cpuCores: value,
    cpuThrottledSeconds: value,
    cpuHeldBackRatio: value,
    memoryUsageBytes: value,
    memoryWorkingSetBytes: value,
    requestsPerSecond: value,
    latencyMs: value,
  },
  { requiredKeys: [], noNullPrototype: true },
);

const world = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }).chain((replicas) => {
  const replica = replicas.length === 0 ? undefined : fc.constantFrom(...replicas);
  const samples: fc.Arbitrary<Sample[]> =
    replica === undefined
      ? fc.constant([])
      : fc.array(
          fc
            .tuple(replica, instant, optionalFields)
            .map(([id, readAtMs, fields]) => ({ replica: id, readAtMs, ...fields })),
        );
  const missed =
    replica === undefined
      ? fc.constant([])
      : fc.array(fc.record({ replica, reason: fc.string() }, { noNullPrototype: true }));
  return fc.record({
    replicas: fc.constant(replicas),
    batch: fc.record({ tick: fc.nat(), readAtMs: instant, samples, missed }, { noNullPrototype: true }),
  });
});

const positionsOf = (replicas: readonly string[]) =>
  new Map(replicas.map((replica, index) => [replica, index]));

describe("a batch on the wire", () => {
  test("comes out as it went in", () => {
    fc.assert(
      fc.property(world, fc.nat(), ({ replicas, batch }, revision) => {
        const sent = encodeBatch(batch, revision, positionsOf(replicas), 3);
        const received: unknown = JSON.parse(JSON.stringify(sent));
        assert.ok(typeof received === "object" && received !== null && isSamplesMessage(received));
        assert.deepEqual(decodeBatch(received, replicas), batch);
      }),
    );
  });

  test("leaves out what the list of targets does not hold any more", () => {
    const batch: Batch = {
      tick: 1,
      readAtMs: 5,
      samples: [
        { replica: "gone", readAtMs: 5, cpuCores: 1 },
        { replica: "here", readAtMs: 6, cpuCores: 2 },
      ],
      missed: [{ replica: "gone", reason: "ended" }],
    };
    const message = encodeBatch(batch, 1, positionsOf(["here"]), 0);
    assert.deepEqual(decodeBatch(message, ["here"]), {
      ...batch,
      samples: [{ replica: "here", readAtMs: 6, cpuCores: 2 }],
      missed: [],
    });
  });

  test("is refused with another list of targets", () => {
    const batch: Batch = { tick: 1, readAtMs: 5, samples: [{ replica: "b", readAtMs: 5 }], missed: [] };
    assert.equal(decodeBatch(encodeBatch(batch, 1, positionsOf(["a", "b"]), 0), ["a"]), undefined);
  });

  test("is recognised, or refused without throwing, whatever arrives", () => {
    fc.assert(
      fc.property(fc.object(), (anything) => {
        assert.equal(isSamplesMessage({ ...anything, type: "samples", rows: [[0, "x"]] }), false);
      }),
    );
  });
});
