import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobSpec } from "../../core/job.ts";
import { decodeLabels } from "../../core/labels.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";

function read(labels: Record<string, string>, isBatch = false) {
  const { job, scaling, diagnostics } = decodeLabels(labels, {}, "", { isBatch });
  return { job, scaling, said: diagnostics.map(({ path, message }) => `${path}: ${message}`) };
}

function jobOf(labels: Record<string, string>): JobSpec {
  const { job, said } = read(labels);
  assert.deepEqual(said, []);
  return job ?? assert.fail("is no job");
}

function saidOf(labels: Record<string, string>): string[] {
  const { job, said } = read(labels);
  assert.equal(job?.trigger.kind, "refused", "is run all the same");
  return said;
}

describe("labels of jobs", () => {
  test("say nothing where nothing is said", () => {
    assert.equal(read({}).job, undefined);
  });

  test("a schedule has lines of five or six fields, each in the time zone that it names", () => {
    const lines = (text: string) => jobOf({ "job.schedule": text }).trigger;
    assert.deepEqual(lines("0 3 * * 1-5 Europe/Berlin; 30 0 8 * * mon,fri; */10 * * * * * Asia/Tokyo"), {
      kind: "schedule",
      lines: [
        { cron: "0 3 * * 1-5", timeZone: "Europe/Berlin" },
        { cron: "30 0 8 * * mon,fri" },
        { cron: "*/10 * * * * *", timeZone: "Asia/Tokyo" },
      ],
    });
    assert.deepEqual(lines("0 3 * * * UTC"), {
      kind: "schedule",
      lines: [{ cron: "0 3 * * *", timeZone: "UTC" }],
    });
  });

  test("the vendor's schedule has six fields and hangs in Beijing", () => {
    assert.deepEqual(jobOf({ "aliyun.schedule": "0 30 2 * * *" }).trigger, {
      kind: "schedule",
      lines: [{ cron: "0 30 2 * * *", timeZone: "Asia/Shanghai" }],
    });
    assert.match(saidOf({ "aliyun.schedule": "30 2 * * *" }).join(), /expected "second minute hour/);
    assert.match(saidOf({ "aliyun.schedule": "0 30 2 * * * UTC" }).join(), /in Beijing's time/);
  });

  test("what is not said has a default", () => {
    assert.deepEqual(jobOf({ "job.run": "once" }), {
      trigger: { kind: "once" },
      tasks: 1,
      retries: 0,
      retryDelayMs: 10 * SECOND_MS,
      concurrency: "forbid",
      catchUp: "last",
      catchUpAgeMs: DAY_MS,
      keep: "failed",
    });
  });

  test("the rest is read as it is meant", () => {
    const job = jobOf({
      "job.after": "extract, transform,extract",
      "job.tasks": "4",
      "job.retries": "3",
      "job.retry_delay": "30s",
      "job.timeout": "2h",
      "job.concurrency": "replace",
      "job.catch_up": "all 6h",
      "job.keep": "all",
    });
    assert.deepEqual(job, {
      trigger: { kind: "after", services: ["extract", "transform"] },
      tasks: 4,
      retries: 3,
      retryDelayMs: 30 * SECOND_MS,
      timeoutMs: 2 * HOUR_MS,
      concurrency: "replace",
      catchUp: "all",
      catchUpAgeMs: 6 * HOUR_MS,
      keep: "all",
    });
  });

  test("the vendor's retries and clean-up mean ours", () => {
    const keep = (word: string) => jobOf({ "job.run": "manual", "aliyun.remove_containers": word }).keep;
    assert.deepEqual(
      [keep("remove-finished"), keep("remove-failed"), keep("remove-all")],
      ["failed", "succeeded", "none"],
    );
    assert.equal(jobOf({ "job.run": "manual", "aliyun.retry_count": "5" }).retries, 5);
  });

  test("in a batch whoever says nothing runs once", () => {
    const { job, said } = read({}, true);
    assert.deepEqual(said, []);
    assert.deepEqual([job?.trigger.kind, job?.tasks], ["once", 1]);
    assert.equal(read({ "job.run": "manual" }, true).job?.trigger.kind, "manual");
  });

  test("a slip in a label of jobs does not make the job a service that is kept up", () => {
    assert.deepEqual(saidOf({ "job.schedul": "0 3 * * *" }), [
      "job.schedul: is not a label of Flyball: did you mean job.schedule?",
    ]);
    assert.deepEqual(saidOf({ "job.run": "once", "job.timout": "5m" }), [
      "job.timout: is not a label of Flyball: did you mean job.timeout?",
    ]);
    assert.equal(read({ "job.description": "of somebody else" }).job, undefined);
  });

  test("rules have no meaning on a job: that is said, and the job runs", () => {
    const { job, scaling, said } = read({ "job.run": "once", "autoscale.max_cpu": "70" });
    assert.deepEqual(said, ["autoscale.max_cpu: has no meaning on a job, which has tasks and no replicas"]);
    assert.equal(scaling, undefined);
    assert.equal(job?.trigger.kind, "once");
  });

  const refused: Record<string, [Record<string, string>, RegExp]> = {
    "a cron line that never comes": [
      { "job.schedule": "0 0 30 2 *" },
      /^job.schedule: "0 0 30 2 \*" never comes, got "0 0 30 2 \*"$/,
    ],
    "a cron line with a value that no clock shows": [
      { "job.schedule": "61 * * * * *" },
      /is not a cron line: Invalid value for second: 61/,
    ],
    "a time zone that is none": [{ "job.schedule": "0 3 * * * Europe/Berln" }, /did you mean Europe\/Berlin/],
    "two ways of being due": [
      { "job.schedule": "0 3 * * *", "job.run": "once" },
      /^job.run: excludes job.schedule/,
    ],
    "no way of being due": [
      { "job.retries": "3" },
      /^job.retries: needs one of job.schedule, job.after, job.run/,
    ],
    "nobody to come after": [{ "job.after": " , " }, /expected names of services/],
    "no tasks at all": [{ "job.run": "once", "job.tasks": "0" }, /whole number of at least 1/],
    "more tasks than anybody has": [{ "job.run": "once", "job.tasks": "1001" }, /from 1 to 1000/],
    "retries for ever": [{ "job.run": "once", "job.retries": "101" }, /from 0 to 100/],
    "a timeout of nothing": [{ "job.run": "once", "job.timeout": "0" }, /expected a duration from 1s/],
    "a catch-up of nobody's": [
      { "job.run": "once", "job.catch_up": "some 5m" },
      /expected "none", "last" or "all"/,
    ],
    "an age for what is not caught up": [
      { "job.run": "once", "job.catch_up": "none 5m" },
      /expected "none", "last" or "all"/,
    ],
    "two words for what stays": [
      { "job.run": "once", "job.keep": "all", "aliyun.remove_containers": "remove-all" },
      /contradicts job.keep/,
    ],
  };
  for (const [what, [labels, reason]] of Object.entries(refused)) {
    test(`${what} is refused with its reason, and the job does not run`, () => {
      assert.match(saidOf(labels).join("\n"), reason);
    });
  }

  test("an age alone is not lost", () => {
    assert.equal(jobOf({ "job.run": "once", "job.catch_up": "last 30m" }).catchUpAgeMs, 30 * MINUTE_MS);
  });
});
