import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Action, ReplicaId } from "../../../core/types.ts";
import { OwnWork } from "../../../orchestrator/ownership/own-work.ts";

const about = { service: "shop_web", slot: 1, after: [], cause: "a test" };
const stop = (replica: ReplicaId): Action => ({ id: 0, kind: "stop-replica", replica, ...about });
const remove = (replica: ReplicaId): Action => ({ id: 1, kind: "remove-replica", replica, ...about });
const planOf = (...actions: Action[]) => ({ actions, holds: [] });
const MINUTE_MS = 60_000;

describe("the replicas that our own actions take away", () => {
  test("are ours also when the action fails: it may have been done, and only the answer was lost", () => {
    const own = new OwnWork();
    own.add(planOf(stop("a"), remove("a")));
    own.ended(stop("a"), "failed");
    own.ended(remove("a"), "skipped");
    assert.deepEqual([...own.replicas], ["a"]);
  });

  test("are so for a minute, unless it is begun again", () => {
    const own = new OwnWork(new Set(["before"]));
    own.add(planOf(stop("a"), stop("b")));
    own.ended(stop("a"), "failed");
    own.ended(stop("b"), "failed");
    own.forgetDoubtful(1_000);
    own.forgetDoubtful(1_000 + MINUTE_MS);
    assert.deepEqual([...own.replicas], ["before", "a", "b"]);
    own.add(planOf(stop("b")));
    own.forgetDoubtful(1_001 + MINUTE_MS);
    assert.deepEqual([...own.replicas], ["b"]);
  });

  test("are not ours when the action was never begun, or when they are started again", () => {
    const own = new OwnWork();
    own.add(planOf(stop("a"), stop("b")));
    own.ended(stop("a"), "skipped");
    own.ended(stop("b"), "failed");
    own.add(planOf({ id: 2, kind: "start-replica", replica: "b", ...about }));
    assert.deepEqual([...own.replicas], []);
  });
});
