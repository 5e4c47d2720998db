import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ObservedReplica } from "../../core/types.ts";
import { Failures } from "../../orchestrator/failures.ts";
import type { InFlight } from "../../orchestrator/reconcile/input.ts";
import { NOTHING_IN_FLIGHT, NOW_MS, observed, replica, service } from "./builders.ts";

const web = service("web");

function look(
  failures: Failures,
  replicas: readonly ObservedReplica[],
  inFlight: InFlight = NOTHING_IN_FLIGHT,
) {
  failures.observed(observed(replicas), inFlight, () => web);
  return failures.attempts.get("shop_web#1");
}

describe("a replica that the engine says it started", () => {
  const created = replica("web", 1, "created");

  test("and that was still never started when it is looked at has failed, each time anew", () => {
    const failures = new Failures();
    for (const times of [1, 2, 3]) {
      failures.started(created.id);
      const attempts = look(failures, [created]);
      assert.deepEqual(
        [attempts?.failures, attempts?.reason, attempts?.lastAtMs],
        [times, "it was started and does not run", NOW_MS],
      );
    }
  });

  test("is judged when no action works on it any more", () => {
    const failures = new Failures();
    failures.started(created.id);
    const busy = { ...NOTHING_IN_FLIGHT, arriving: new Set(["shop_web#1"]) };
    assert.equal(look(failures, [created], busy), undefined);
    assert.equal(look(failures, [created])?.failures, 1);
  });

  test("and that runs has not failed, nor has one that nobody has started yet", () => {
    const failures = new Failures();
    failures.started(created.id);
    assert.equal(look(failures, [replica("web", 1)]), undefined);
    assert.equal(look(failures, [created]), undefined);
  });
});
