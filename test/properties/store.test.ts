import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { Store } from "../../core/store.ts";

let directory: string;
let store: Store;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "flyball-store-"));
  store = new Store(directory);
  store.migrate({
    room: "test",
    steps: ["CREATE TABLE entry (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT"],
  });
});
after(() => {
  store[Symbol.dispose]();
  rmSync(directory, { recursive: true, force: true });
});

type Write = { readonly key: string; readonly value: number | null } | { readonly remove: string } | "throw";

const name = fc.constantFrom("a", "b", "c");
const write: fc.Arbitrary<Write> = fc.oneof(
  // The column refuses null, so that a write fails in the store and not only around it.
  {
    weight: 6,
    arbitrary: fc.record({
      key: name,
      value: fc.oneof({ weight: 8, arbitrary: fc.nat(9) }, fc.constant(null)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ remove: name }) },
  { weight: 1, arbitrary: fc.constant("throw" as const) },
);

function contents(): Map<string, number> {
  return new Map(
    store.all("SELECT key, value FROM entry").map((row) => [String(row["key"]), Number(row["value"])]),
  );
}

function apply(writes: readonly Write[]): void {
  for (const one of writes) {
    if (one === "throw") throw new Error("the caller gave up");
    if ("remove" in one) store.run("DELETE FROM entry WHERE key = ?", one.remove);
    else {
      store.run(
        "INSERT INTO entry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        one.key,
        one.value,
      );
    }
  }
}

/** What the table should hold after the transaction: all of its writes, or none of them. */
function expected(now: ReadonlyMap<string, number>, writes: readonly Write[]): ReadonlyMap<string, number> {
  const next = new Map(now);
  for (const one of writes) {
    if (one === "throw") return now;
    if ("remove" in one) next.delete(one.remove);
    else if (one.value === null) return now;
    else next.set(one.key, one.value);
  }
  return next;
}

test("a transaction is all of its writes or none, whatever fails in it", () => {
  fc.assert(
    fc.property(fc.array(fc.array(write, { maxLength: 5 }), { maxLength: 6 }), (transactions) => {
      store.run("DELETE FROM entry");
      let model: ReadonlyMap<string, number> = new Map();
      for (const writes of transactions) {
        try {
          store.transaction(() => apply(writes));
        } catch {
          // Refused as a whole; the model knows when.
        }
        model = expected(model, writes);
        assert.deepEqual(contents(), model);
      }
    }),
    { numRuns: 200 },
  );
});
