import assert from "node:assert/strict";
import { test } from "node:test";
import { seat } from "../../../../orchestrator/engines/docker/slots.ts";

test("a number that cannot be read seats its container past the highest, in an order that stays", () => {
  const { slots, garbled } = seat([
    { id: "d", number: "x" },
    { id: "a", number: "2" },
    { id: "b", number: "07" },
    { id: "c", number: undefined },
    { id: "e", number: "5" },
    { id: "f", number: "0" },
  ]);
  assert.deepEqual(Object.fromEntries(slots), { a: 2, e: 5, b: 6, c: 7, d: 8, f: 9 });
  assert.deepEqual(garbled.map(({ id }) => id).sort(), ["b", "c", "d", "f"]);
});

test("when none can be read they are seated from 1", () => {
  assert.deepEqual([...seat([{ id: "a", number: "" }]).slots], [["a", 1]]);
});
