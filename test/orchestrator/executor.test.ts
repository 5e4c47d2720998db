import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Action, ReplicaId } from "../../core/types.ts";
import { describeAction } from "../../orchestrator/describe.ts";
import { type ActionResult, execute } from "../../orchestrator/executor.ts";

const create = (id: number, slot: number, after: number[] = []): Action => ({
  id,
  kind: "create-replica",
  service: "shop_web",
  slot,
  after,
  cause: "a test",
});
const start = (id: number, slot: number, after: number[]): Action => ({
  id,
  kind: "start-replica",
  service: "shop_web",
  slot,
  after,
  cause: "a test",
});

type Perform = (action: Action, created: ReplicaId | undefined) => Promise<ReplicaId | undefined>;

async function run(actions: readonly Action[], perform: Perform, parallelism = 4) {
  const results: ActionResult[] = [];
  let now = 0;
  await execute(
    { actions, holds: [] },
    {
      perform,
      onResult: (result) => results.push(result),
      parallelism,
      monotonicMs: () => {
        now += 1;
        return now;
      },
    },
  );
  return results;
}

const outcomesOf = (results: readonly ActionResult[]) =>
  Object.fromEntries(results.map(({ action, outcome }) => [action.id, outcome]));

describe("carrying out a plan", () => {
  test("an action starts only when all that it waits for is done, whatever order the plan lists them in", async () => {
    const done: string[] = [];
    await run([start(1, 1, [0]), create(0, 1), start(3, 2, [0, 1, 2]), create(2, 2)], async (action) => {
      await nextTurn();
      done.push(describeAction(action));
      return undefined;
    });
    assert.deepEqual(done.toSorted(), [
      "create shop_web 1",
      "create shop_web 2",
      "start shop_web 1",
      "start shop_web 2",
    ]);
    assert.ok(done.indexOf("create shop_web 1") < done.indexOf("start shop_web 1"));
    assert.equal(done.at(-1), "start shop_web 2");
  });

  test("as many run at once as are allowed, and no more", async () => {
    let now = 0;
    let most = 0;
    const results = await run(
      Array.from({ length: 10 }, (_, id) => create(id, id + 1)),
      async () => {
        now += 1;
        most = Math.max(most, now);
        await nextTurn();
        now -= 1;
        return undefined;
      },
      3,
    );
    assert.equal(most, 3);
    assert.equal(results.length, 10);
  });

  test("what was begun is brought to its end before more is begun", async () => {
    const done: number[] = [];
    const perform = async ({ id }: Action) => {
      done.push(id);
      return undefined;
    };
    await run([create(0, 1), create(1, 2), start(2, 1, [0]), start(3, 2, [1])], perform, 1);
    assert.deepEqual(done, [0, 2, 1, 3]);
  });

  test("one that takes long holds up only what waits for it", async () => {
    const slow = Promise.withResolvers<undefined>();
    const finished: number[] = [];
    const all = execute(
      { actions: [create(0, 1), start(1, 1, [0]), create(2, 2), start(3, 2, [2])], holds: [] },
      {
        perform: (action) => (action.id === 0 ? slow.promise : Promise.resolve(undefined)),
        onResult: ({ action }) => finished.push(action.id),
        parallelism: 4,
        monotonicMs: () => 0,
      },
    );
    await nextTurn();
    assert.deepEqual(finished, [2, 3]);
    slow.resolve(undefined);
    await all;
    assert.deepEqual(finished, [2, 3, 0, 1]);
  });

  test("a failure skips what waits for it, directly or not, and nothing else", async () => {
    const results = await run(
      [create(0, 1), start(1, 1, [0]), start(2, 1, [1]), create(3, 2), start(4, 2, [3])],
      async (action) => {
        if (action.id === 0) throw new Error("no room");
        return undefined;
      },
    );
    assert.deepEqual(outcomesOf(results), { 0: "failed", 1: "skipped", 2: "skipped", 3: "done", 4: "done" });
    assert.equal(results.find(({ action }) => action.id === 0)?.error?.message, "no room");
    assert.equal(results.length, 5, "each action has one result");
  });

  test("an action that cannot even be begun has failed like any other", { timeout: 10_000 }, async () => {
    const results = await run([create(0, 1), start(1, 1, [0])], () => {
      throw new Error("no such project");
    });
    assert.deepEqual(outcomesOf(results), { 0: "failed", 1: "skipped" });
  });

  test("what was thrown and is no error is told all the same", async () => {
    const [result] = await run([create(0, 1)], () => Promise.reject("a word"));
    assert.equal(result?.error?.message, "a word");
  });

  test("the id that a slot's creation returned reaches its start, and no other slot's", async () => {
    const given = new Map<number, ReplicaId | undefined>();
    await run([create(0, 1), create(1, 2), start(2, 1, [0]), start(3, 2, [1])], async (action, created) => {
      given.set(action.id, created);
      return action.kind === "create-replica" ? `made-${action.slot}` : undefined;
    });
    assert.deepEqual(
      [...given],
      [
        [0, undefined],
        [1, undefined],
        [2, "made-1"],
        [3, "made-2"],
      ],
    );
  });

  test("an empty plan is done at once", async () => {
    assert.deepEqual(await run([], () => Promise.reject(new Error("nothing to do"))), []);
  });

  test("each result says how long its action took", async () => {
    const [result] = await run([create(0, 1)], async () => undefined);
    assert.ok(result !== undefined && result.tookMs > 0);
  });
});
