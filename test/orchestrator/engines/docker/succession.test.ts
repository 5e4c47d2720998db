import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Candidate, succession } from "../../../../orchestrator/engines/docker/succession.ts";

const NOW_MS = 1_800_000_000_000;

function candidate(id: string, changes: Partial<Candidate> = {}): Candidate {
  return { id, number: "1", isReplacement: false, createdAtMs: NOW_MS - 3_600_000, ...changes };
}

function idsOf(containers: readonly Candidate[]) {
  const { coming, going } = succession(containers, NOW_MS);
  return { coming: [...coming], going: [...going] };
}

describe("while compose replaces a container", () => {
  test("the new one is coming and the old one is going", () => {
    const fresh = candidate("new", { isReplacement: true, createdAtMs: NOW_MS - 500 });
    assert.deepEqual(idsOf([candidate("old"), fresh]), { coming: ["new"], going: ["old"] });
  });

  test("the new one is still coming when the old one is gone already", () => {
    const fresh = candidate("new", { isReplacement: true, createdAtMs: NOW_MS - 500 });
    assert.deepEqual(idsOf([fresh]), { coming: ["new"], going: [] });
  });

  test("the replicas with other numbers are not concerned", () => {
    const fresh = candidate("new", { isReplacement: true, createdAtMs: NOW_MS - 500 });
    const others = [candidate("two", { number: "2" }), candidate("three", { number: "3" })];
    assert.deepEqual(idsOf([candidate("old"), fresh, ...others]), { coming: ["new"], going: ["old"] });
  });

  test("a compose that died in the middle is not waited for for ever", () => {
    const left = candidate("new", { isReplacement: true, createdAtMs: NOW_MS - 120_000 });
    assert.deepEqual(idsOf([candidate("old"), left]), { coming: [], going: [] });
  });
});

test("two containers with one number, neither made in the other's place, are what they are", () => {
  assert.deepEqual(idsOf([candidate("one"), candidate("other", { createdAtMs: NOW_MS - 500 })]), {
    coming: [],
    going: [],
  });
});
