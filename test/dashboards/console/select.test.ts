import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobAnswer } from "../../../core/wire-jobs.ts";
import {
  chosen,
  conditionOf,
  firingByService,
  jobSentence,
  sumsOf,
} from "../../../dashboards/console/page/state/select.ts";
import { anAlert, aService, aWorld } from "./builders.ts";

const moving = { desired: 3, running: 2, ready: 2 };
const all = [
  aService("shop_web", { load: { cpuRatio: 0.69 }, businessLabels: { team: "checkout" } }),
  aService("shop_api", { load: { cpuRatio: 0.1 }, replicas: moving }),
  aService("blog_web", { autoscale: { step: 1, dryRun: false, mode: "paused" } }),
];
const firing = firingByService([anAlert("shop_api"), anAlert("blog_web", { state: "resolved" })]);
const shown = (choice: Partial<Parameters<typeof chosen>[2]>) =>
  chosen(all, firing, { filter: "all", sort: "name", text: "", ...choice }).map(({ view }) => view.id);

describe("which services are shown", () => {
  test("those with every word in a name, the project or a business label", () => {
    assert.deepEqual(shown({ text: "WEB shop" }), ["shop_web"]);
    assert.deepEqual(shown({ text: "team:checkout" }), ["shop_web"]);
    assert.deepEqual(shown({ text: "nothing" }), []);
  });

  test("those that are as the filter says", () => {
    assert.deepEqual(shown({ filter: "hot" }), ["shop_web"]);
    assert.deepEqual(shown({ filter: "alerting" }), ["shop_api"]);
    assert.deepEqual(shown({ filter: "moving" }), ["shop_api"]);
    assert.deepEqual(shown({ filter: "held" }), ["blog_web"]);
  });

  test("the hottest first, or those with most replicas", () => {
    assert.deepEqual(shown({ sort: "load" })[0], "shop_web");
    assert.deepEqual(shown({ sort: "replicas" })[0], "shop_api");
  });
});

describe("what a tile says first", () => {
  const of = (more: Parameters<typeof aService>[1], alerts: Parameters<typeof conditionOf>[1] = []) =>
    conditionOf(aService("shop_web", more), alerts);

  test("no replica, then an alert, then too much load, then a change, then that it is not scaled", () => {
    assert.equal(of({ replicas: { desired: 1, running: 0, ready: 0 } }, [anAlert("shop_web")]), "down");
    assert.equal(of({ load: { cpuRatio: 0.9 } }, [anAlert("shop_web")]), "alerting");
    assert.equal(of({ load: { cpuRatio: 0.71 }, replicas: moving }), "hot");
    assert.equal(of({ replicas: moving }), "moving");
    assert.equal(of({ autoscale: { step: 1, dryRun: false, mode: "shadow" } }), "held");
    assert.equal(of({}), "calm");
    assert.equal(of({ replicas: { desired: 0, running: 0, ready: 0 } }), "empty");
  });

  test("what is only for information is no alarm, and what starts is not down", () => {
    assert.equal(of({}, [anAlert("shop_web", { severity: "info" })]), "calm");
    assert.equal(of({ replicas: { desired: 1, running: 1, ready: 0 } }), "moving");
  });
});

describe("a job", () => {
  const run = {
    id: "shop_backup@1",
    name: "1",
    service: "shop_backup",
    trigger: "schedule",
    dueAtMs: 1,
    tasks: [],
  } as const;
  const job = { service: "shop_backup", project: "shop", name: "backup", due: "0 3 * * *", active: [] };
  const failed = { ...job, last: { ...run, state: "failed", reason: "it ended with status 3" } as const };
  const running = { ...failed, active: [{ ...run, state: "running" } as const] };

  test("is no service without replicas: what counts is how it runs, or ran", () => {
    const of = (one: JobAnswer) =>
      conditionOf(
        { ...aService("shop_backup", { replicas: { desired: 0, running: 0, ready: 0 } }), job: one },
        [],
      );
    assert.deepEqual([of(job), of(failed), of(running)], ["calm", "alerting", "moving"]);
  });

  test("says what it does, else what became of it, and when it is due", () => {
    assert.equal(jobSentence(job), "has not run yet; due 0 3 * * *");
    assert.equal(jobSentence(failed), "last run: failed, it ended with status 3; due 0 3 * * *");
    assert.equal(jobSentence(running), "is running; due 0 3 * * *");
  });
});

test("sums are over all ready replicas; an alert that is kept quiet does not count", () => {
  const load = { cpuCores: 0.5, memoryWorkingSetBytes: 100 };
  const world = {
    ...aWorld(aService("shop_web", { load, replicas: moving }), aService("shop_api", { load: {} })),
    alerts: [
      anAlert("a", { severity: "critical" }),
      anAlert("b"),
      anAlert("c", { suppressedBy: "silence s1" }),
    ],
  };
  assert.deepEqual(sumsOf(world), {
    ...{ services: 2, replicasReady: 3, replicasDesired: 4 },
    ...{ cpuCores: 1, memoryBytes: 200, critical: 1, warning: 1 },
  });
});
