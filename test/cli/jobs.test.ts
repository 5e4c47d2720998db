import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobAnswer, RunAnswer } from "../../core/wire-jobs.ts";
import { NOW_MS, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const run: RunAnswer = {
  id: "shop_backup@20261121T030000Z",
  name: "20261121T030000Z",
  service: "shop_backup",
  trigger: "schedule",
  state: "failed",
  dueAtMs: NOW_MS,
  startedAtMs: NOW_MS,
  endedAtMs: NOW_MS + 9_000,
  reason: "it ended with status 3",
  tasks: [{ index: 0, state: "failed", attempt: 1, exitCode: 3 }],
};
const missed: RunAnswer = {
  ...run,
  name: "20261120T030000Z",
  state: "missed",
  missedUntilMs: NOW_MS,
  reason: "nobody looked",
  tasks: [],
};
const job: JobAnswer = {
  service: "shop_backup",
  project: "shop",
  name: "backup",
  due: "0 3 * * * Europe/Berlin",
  active: [],
  last: run,
};
const jobs = { "GET /v1/jobs": { body: { jobs: [job] } } };
const runs = (limit: number) => ({
  [`GET /v1/jobs/shop_backup/runs?limit=${limit}`]: { body: { runs: [run, missed] } },
});

describe("flyball jobs", () => {
  test("says of each when it is due and how it went, or the answer as JSON", async () => {
    await using daemon = await startRecordedDaemon(jobs);
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const { printed } = await flyball(["jobs"], invocation);
    assert.match(printed, /^shop_backup +failed +- +- +0 3 \* \* \* Europe\/Berlin$/m);
    assert.deepEqual(JSON.parse((await flyball(["jobs", "--json"], invocation)).printed), [job]);
  });

  test("says of one how each of its runs went, and why one did not", async () => {
    await using daemon = await startRecordedDaemon({ ...jobs, ...runs(20) });
    const { printed } = await flyball(["jobs", "backup"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.match(printed, /^20261121T030000Z +failed +schedule +exit 3 +9s +it ended with status 3$/m);
    assert.match(printed, /^20261120T030000Z +missed +schedule +- +9s +all until \S+: nobody looked$/m);
  });

  test("says so when there is none, or none of that name", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/jobs": { body: { jobs: [] } } });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.equal((await flyball(["jobs"], invocation)).printed, "no service is a job");
    assert.match((await flyball(["jobs", "backup"], invocation)).noted, /NOT_FOUND/);
  });
});

describe("flyball run", () => {
  const made = { "POST /v1/jobs/shop_backup/runs": { status: 201, body: { ...run, state: "pending" } } };

  test("begins a run, and does not wait for it unless it is told to", async () => {
    await using daemon = await startRecordedDaemon({ ...jobs, ...made });
    const { printed, status } = await flyball(["run", "backup"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.match(printed, /^shop_backup@20261121T030000Z pending/);
    assert.equal(status, 0);
  });

  test("waits for its end, and fails with it", async () => {
    await using daemon = await startRecordedDaemon({ ...jobs, ...made, ...runs(100) });
    const { printed, noted, status } = await flyball(["run", "backup", "--wait"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.match(printed, /failed: it ended with status 3/);
    assert.match(noted, /JOB_FAILED/);
    assert.equal(status, 10);
  });
});

describe("flyball logs", () => {
  const logs = (parts: readonly { name: string; text: string }[]) => ({
    "GET /v1/services": { body: { services: [web] } },
    "GET /v1/services/shop_web/logs?lines=200": { body: { service: "shop_web", parts } },
  });

  test("prints what one wrote, and puts names to what several did", async () => {
    await using one = await startRecordedDaemon(logs([{ name: "task 0", text: "done" }]));
    const of = (address: string) => flyball(["logs", "web"], { environment: { FLYBALL_ADDRESS: address } });
    assert.equal((await of(one.address)).printed, "done");
    await using two = await startRecordedDaemon(
      logs([
        { name: "task 0", text: "done" },
        { name: "task 1", text: "also" },
      ]),
    );
    assert.equal((await of(two.address)).printed, "task 0\ndone\ntask 1\nalso");
    await using none = await startRecordedDaemon(logs([]));
    assert.equal((await of(none.address)).printed, "nothing was written");
  });
});
