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

test("it sits where its name says, when nobody else does, because that name cannot be had twice", () => {
  const { slots } = seat([
    { id: "a", number: "1", name: "/shop-web-1" },
    { id: "b", number: "two", name: "/shop-web-2" },
    { id: "c", number: undefined, name: "/shop_web_1" },
    { id: "d", number: "", name: "/shop-web-2" },
    { id: "e", number: "", name: "/happy_name" },
  ]);
  assert.deepEqual(Object.fromEntries(slots), { a: 1, b: 2, c: 3, d: 4, e: 5 });
});

test("when none can be read they are seated from 1", () => {
  assert.deepEqual([...seat([{ id: "a", number: "" }]).slots], [["a", 1]]);
});
