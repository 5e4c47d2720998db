import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service, TrafficReading } from "../../core/types.ts";
import type { TrialRequest } from "../../orchestrator/rollout/trial.ts";
import type { RolloutView } from "../../orchestrator/rollout/view.ts";
import { eventually, Running, STAYS, shell } from "./real-engine.ts";

/** Three replicas of a version of the service, of which a new one has soon proven healthy. */
function version(number: number): Service {
  const definition = shell("web", STAYS, { environment: { VERSION: String(number) } });
  const quick = { monitorMs: 200 };
  return { ...definition, initialReplicas: 3, updates: { update: quick, rollback: quick } };
}

const rolloutOf = (on: Running): RolloutView | undefined => on.orchestrator.rollouts[0];

function countOf(on: Running, number: number): number {
  const { templateHash } = version(number);
  return on.replicas().filter((one) => one.state === "running" && one.templateHash === templateHash).length;
}

async function counts(on: Running, first: number, second: number): Promise<void> {
  await eventually(`${first} of the first and ${second} of the second run, and nothing else`, () => {
    const isAlone = on.replicas().length === first + second;
    return isAlone && countOf(on, 1) === first && countOf(on, 2) === second;
  });
}

async function tried(on: Running, trial: TrialRequest): Promise<void> {
  await on.up(version(1));
  await on.count(3);
  await eventually("the first version is there", () => rolloutOf(on)?.state === "done");
  await on.tryOut(trial, version(2));
}

describe("trials with real processes", { concurrency: 3 }, () => {
  test("a canary takes the place of some, goes with the count, and is promoted", async (t) => {
    const on = await Running.start(t);
    await tried(on, { kind: "canary", weightRatio: 0.2 });
    await counts(on, 2, 1);
    assert.match(
      rolloutOf(on)?.sentence ?? "",
      /^canary: revision 2 gets 20 % of the requests, with 1 of 1 replicas, beside 2 of 2 of revision 1/,
    );
    const shares = on.orchestrator.trials.sharesOf("shop_web");
    assert.deepEqual([...(shares?.values() ?? [])], [0.2, 0.8]);
    on.orchestrator.setReplicas("shop_web", 6);
    await counts(on, 4, 2);
    on.orchestrator.trials.promote("shop_web");
    await counts(on, 0, 6);
    await eventually("it is done", () => rolloutOf(on)?.state === "done");
    assert.equal(on.orchestrator.trials.sharesOf("shop_web"), undefined);
  });

  test("a blue-green is a second set without requests, and an abort deletes it", async (t) => {
    const on = await Running.start(t);
    await tried(on, { kind: "blue-green" });
    await counts(on, 3, 3);
    const before = on.replicas().filter(({ templateHash }) => templateHash === version(1).templateHash);
    assert.equal(rolloutOf(on)?.trial?.weightRatio, 0);
    on.orchestrator.trials.promote("shop_web", 0.8);
    assert.equal(rolloutOf(on)?.trial?.weightRatio, 0.8);
    on.orchestrator.trials.abort("shop_web");
    await counts(on, 3, 0);
    const ids = (replicas: readonly { readonly id: string }[]) => replicas.map(({ id }) => id).sort();
    assert.deepEqual(ids(on.replicas()), ids(before), "those that were there have stayed");
  });

  test("one that fails three in ten of its requests goes back by itself", async (t) => {
    let requests = 0;
    const second = version(2).templateHash;
    const trafficOf = (on: Running, id: string): TrafficReading | undefined => {
      const replica = on.replicas().find((one) => one.id === id);
      if (replica === undefined) return undefined;
      requests += 20;
      const errorsTotal = replica.templateHash === second ? Math.floor(requests * 0.3) : 0;
      const totals = { requestsTotal: requests, errorsTotal };
      return { service: "shop_web", replica: id, readAtMs: requests, open: 0, queued: 0, ...totals };
    };
    const on: Running = await Running.start(t, undefined, undefined, (id) => trafficOf(on, id));
    await tried(on, { kind: "canary", weightRatio: 0.2 });
    await eventually("it is rolled back", () => rolloutOf(on)?.state === "rolled back");
    assert.match(
      rolloutOf(on)?.reason ?? "",
      /^\d+ of \d+ of its requests failed, and 0 of \d+ of the others$/,
    );
    await counts(on, 3, 0);
  });
});
