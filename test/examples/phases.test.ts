import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LEAST_TOTAL_MS, phaseAt, phasesWithin, STEP_FACTOR } from "../../examples/demo/phases.ts";

describe("the phases of the demo", () => {
  test("are calm, three times as much, and calm again, without a gap", () => {
    const phases = phasesWithin(75_000);
    assert.deepEqual(
      phases.map(({ name, factor }) => [name, factor]),
      [
        ["calm", 1],
        ["×3", STEP_FACTOR],
        ["calm again", 1],
      ],
    );
    assert.equal(phases[0]?.fromMs, 0);
    assert.equal(phases[0]?.toMs, phases[1]?.fromMs);
    assert.equal(phases[1]?.toMs, phases[2]?.fromMs);
    assert.equal(phases[2]?.toMs, 75_000);
  });

  test("leave the time that is given beyond what the first two need to the last one", () => {
    const [calm, step] = phasesWithin(LEAST_TOTAL_MS);
    assert.deepEqual(phasesWithin(600_000).slice(0, 2), [calm, step]);
  });

  test("a boundary belongs to the phase that begins, and the end to none", () => {
    const phases = phasesWithin(75_000);
    assert.equal(phaseAt(phases, 0)?.name, "calm");
    assert.equal(phaseAt(phases, 9_999)?.name, "calm");
    assert.equal(phaseAt(phases, 10_000)?.name, "×3");
    assert.equal(phaseAt(phases, 25_000)?.name, "calm again");
    assert.equal(phaseAt(phases, 75_000), undefined);
  });
});
