import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service } from "../../core/types.ts";
import { withDependents } from "../../daemon/wakefulness.ts";
import { policyOf, serviceOf } from "../scaler/builders.ts";

const QUIET = { waiting: 0, open: 0 };

function sleeper(id: string, ...needs: string[]): Service {
  const dependsOn = needs.map((service) => ({ service, condition: "started" as const, required: true }));
  return { ...serviceOf({ scaling: policyOf({ minReplicas: 0, idleMs: 60_000 }) }), id, dependsOn };
}

describe("services that belong together", () => {
  const chain = [sleeper("db"), sleeper("api", "db"), sleeper("web", "api")];

  test("are woken together: who waits for the first waits for all that it needs", () => {
    const signs = withDependents(chain, new Map([["web", { waiting: 2, open: 2 }]]), () => 0);
    assert.equal(signs.get("api")?.waiting, 1);
    assert.equal(signs.get("db")?.waiting, 1);
  });

  test("what is awake keeps what it needs awake, and what sleeps does not", () => {
    const awake = withDependents(chain, new Map([["db", QUIET]]), ({ id }) => (id === "web" ? 0 : 1));
    assert.equal(awake.get("db")?.open, 1);
    const asleep = withDependents(chain, new Map([["db", QUIET]]), () => 0);
    assert.deepEqual(asleep.get("db"), QUIET);
  });

  test("that depend on each other in a circle are looked at once", () => {
    const circle = [sleeper("a", "b"), sleeper("b", "a")];
    const signs = withDependents(circle, new Map([["a", { waiting: 1, open: 1 }]]), () => 0);
    assert.equal(signs.get("b")?.waiting, 1);
  });
});
