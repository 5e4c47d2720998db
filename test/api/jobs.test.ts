import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jobListSchema, logsSchema, runListSchema, runSchema } from "../../core/wire-jobs.ts";
import { job } from "./control-double.ts";
import { startTestApi } from "./harness.ts";

describe("the pages of jobs", () => {
  test("tell of each when it is due and how it went", async () => {
    await using server = await startTestApi();
    assert.deepEqual(jobListSchema.parse(await (await server.fetch("/v1/jobs")).json()).jobs, [job]);
    const runs = await server.fetch("/v1/jobs/shop_backup/runs?limit=5");
    assert.deepEqual(runListSchema.parse(await runs.json()).runs, [job.last]);
    assert.deepEqual(server.control.calls, [{ runs: "shop_backup", most: 5 }]);
    assert.equal((await server.fetch("/v1/jobs/nobody/runs")).status, 404);
  });

  test("run one at once, which is something made", async () => {
    await using server = await startTestApi();
    const answer = await server.fetch("/v1/jobs/shop_backup/runs", { method: "POST" });
    assert.equal(answer.status, 201);
    assert.equal(runSchema.parse(await answer.json()).service, "shop_backup");
  });

  test("tell what services wrote, as many lines as asked for", async () => {
    await using server = await startTestApi();
    const answer = await server.fetch("/v1/services/shop_web/logs?lines=7");
    assert.equal(logsSchema.parse(await answer.json()).parts[0]?.text, "the last 7 lines");
    assert.equal((await server.fetch("/v1/services/shop_web/logs?lines=0")).status, 422);
  });
});
