import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { web } from "./translated.ts";

describe("rollouts", () => {
  test("are as deploy.update_config and rollback_config say, and the rest is left to facts", async () => {
    const { web: service, diagnostics } = await web(`
deploy:
  update_config:
    { order: start-first, parallelism: 2, delay: 10s, monitor: 1m, max_failure_ratio: 0.25, failure_action: pause }
  rollback_config: { parallelism: 0 }`);
    assert.deepEqual(service.updates, {
      update: {
        order: "start-first",
        parallelism: 2,
        delayMs: 10_000,
        monitorMs: 60_000,
        maxFailureRatio: 0.25,
        failureAction: "pause",
      },
      rollback: { parallelism: 0 },
    });
    assert.deepEqual(diagnostics, []);
    assert.equal((await web("restart: always")).web.updates, undefined);
  });

  test("with a failure action that nobody knows go on without it", async () => {
    const { web: service, diagnostics } = await web("deploy: { update_config: { failure_action: explode } }");
    assert.deepEqual(service.updates, undefined);
    assert.match(diagnostics.join(), /failure_action: expected continue, pause, rollback, got explode/);
  });

  test("take labels of another platform for what the file leaves open", async () => {
    const { web: service } = await web(`
labels: { aliyun.rolling_updates: "true", aliyun.rolling_updates.parallelism: "3", aliyun.latest_image: "true" }
deploy: { update_config: { delay: 5s } }`);
    assert.deepEqual(service.updates?.update, { parallelism: 3, delayMs: 5_000 });
    assert.equal(service.template.container.pullPolicy, "always");
  });
});

describe("where and after what", () => {
  test("aliyun.global means one on each node, as deploy.mode does", async () => {
    for (const lines of ['labels: { aliyun.global: "true" }', "deploy: { mode: global }"]) {
      const { web: service } = await web(lines);
      assert.equal(service.global, true);
      assert.equal(service.initialReplicas, 1);
    }
  });

  test("aliyun.depends adds to depends_on", async () => {
    const { web: service } = await web(
      'labels: { aliyun.depends: "db,cache" }\ndepends_on: { db: { condition: service_healthy } }',
      "  db: { image: db }\n  cache: { image: cache }",
    );
    assert.deepEqual(
      service.dependsOn.map(({ service: other, condition }) => [other, condition]),
      [
        ["p_db", "healthy"],
        ["p_cache", "started"],
      ],
    );
  });
});
