import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunAnswer } from "../../core/wire-jobs.ts";
import { type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const engines = await labEngines();
const BEDS: readonly (LabEngine | undefined)[] = [undefined, ...engines];
const SECRET = "hunter2-and-more";

/** A house whose jobs write a line for each attempt, `run task attempt`, into one file, wherever they run. */
class JobHouse {
  readonly house: FlyballHouse;
  readonly #lab: LabEngine | undefined;

  private constructor(house: FlyballHouse, lab: LabEngine | undefined) {
    this.house = house;
    this.#lab = lab;
  }

  static async open(t: TestContext, lab: LabEngine | undefined): Promise<JobHouse> {
    return new JobHouse(await FlyballHouse.open(t, lab), lab);
  }

  /** @param labels by name @param line of a shell, after the one that writes what it is */
  job(name: string, line: string, labels: Readonly<Record<string, string>>, more = ""): string {
    const { directory } = this.house;
    const mount = this.#lab === undefined ? "" : `\n    volumes: ["${directory}:${directory}"]`;
    const tell = `echo "$$JOB_RUN $$JOB_TASK_INDEX $$JOB_ATTEMPT" >> ${directory}/told`;
    return `  ${name}:
    image: flyball/busybox:lab
    stop_grace_period: 1s
    environment: { DB_PASSWORD: "${SECRET}" }
    command: ${JSON.stringify(["sh", "-c", `${tell}; ${line}`])}${mount}
    labels: ${JSON.stringify(labels)}
${more}`;
  }

  async up(...services: string[]): Promise<string> {
    return await this.house.must("up", "-f", this.house.compose(services.join("")));
  }

  /** How often each attempt of each task of each run was begun. */
  told(): Map<string, number> {
    const path = join(this.house.directory, "told");
    const counts = new Map<string, number>();
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    for (const line of lines) if (line !== "") counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  }

  /** Newest first. */
  async runs(name: string): Promise<readonly RunAnswer[]> {
    return await this.house.client.jobRuns(this.house.serviceId(name), "1000");
  }

  /** The newest run of the job, as soon as there is one of that kind. */
  async until(name: string, state: RunAnswer["state"]): Promise<RunAnswer> {
    return await eventually(
      `${name} has a run that is ${state}`,
      async () => (await this.runs(name)).find((run) => run.state === state),
      { about: () => this.house.output },
    );
  }
}

function bedName(lab: LabEngine | undefined): string {
  return lab === undefined ? "the process engine" : `engine ${lab.name}`;
}

describe("jobs", { concurrency: 3 }, () => {
  test("need an engine of the lab to be shown on one", { skip: skipWithoutEngine(engines) }, () => undefined);

  for (const lab of BEDS) {
    test(`on ${bedName(lab)} run once, in tasks, after each other, again when they fail, and no longer than they may`, async (t) => {
      const jobs = await JobHouse.open(t, lab);
      const { house } = jobs;
      await house.serve();
      const said = await jobs.up(
        jobs.job("migrate", 'echo "with $$DB_PASSWORD"', { "job.run": "once", "job.keep": "all" }),
        jobs.job("split", "true", { "job.after": "migrate", "job.tasks": "3" }),
        jobs.job("flaky", "test $$JOB_ATTEMPT = 3", {
          "job.run": "once",
          "job.retries": "4",
          "job.retry_delay": "100ms",
        }),
        jobs.job("broken", "exit 7", { "job.run": "once" }),
        jobs.job("endless", "sleep 1000", { "job.run": "once", "job.timeout": "3s" }),
        jobs.job("never", "true", { "job.schedule": "0 0 30 2 *" }),
        jobs.job(
          "web",
          "exec sleep 1000",
          {},
          "    depends_on: { migrate: { condition: service_completed_successfully } }\n",
        ),
      );
      assert.match(said, /"0 0 30 2 \*" never comes.*the job does not run/);

      const migrated = await jobs.until("migrate", "succeeded");
      assert.equal(migrated.trigger, "once");
      const split = await jobs.until("split", "succeeded");
      assert.deepEqual(
        split.tasks.map(({ index, exitCode }) => [index, exitCode]),
        [
          [0, 0],
          [1, 0],
          [2, 0],
        ],
      );
      const flaky = await jobs.until("flaky", "succeeded");
      assert.equal(flaky.tasks[0]?.attempt, 3);
      const broken = await jobs.until("broken", "failed");
      assert.equal(broken.tasks[0]?.exitCode, 7);
      assert.equal(broken.reason, "it ended with status 7");
      const endless = await jobs.until("endless", "timed-out");
      assert.equal(endless.reason, "it took longer than 3s");
      await house.untilHas(1, "web");
      assert.deepEqual(await jobs.runs("never"), []);

      const told = [...jobs.told()].filter(([line]) => !line.startsWith(" "));
      assert.deepEqual(
        told.map(([, times]) => times),
        told.map(() => 1),
        "an attempt was begun twice",
      );
      const begun = (run: RunAnswer) => told.filter(([line]) => line.startsWith(`${run.id} `)).length;
      assert.deepEqual([migrated, split, flaky, broken].map(begun), [1, 3, 3, 1]);

      // What it wrote is kept, and what is nobody's business is not in it.
      const logs = await eventually("its log is kept", async () => {
        const answer = await house.client.logs(house.serviceId("migrate"), { run: undefined, lines: "10" });
        return answer.parts.length > 0 && answer;
      });
      assert.deepEqual(logs.parts, [{ name: "task 0", text: "with ***" }]);
      assert.match(await house.must("logs", "migrate", "--run", migrated.name), /^with \*\*\*/);
      const waited = await house.flyball("run", "broken", "--wait");
      assert.equal(waited.status, 10, waited.stderr);
      assert.match(waited.stdout, /failed: it ended with status 7/);

      // The same definition again is no reason to run again; another one is.
      await house.must("up", "-f", join(house.directory, "compose.yaml"));
      await sleep(1_500);
      assert.equal((await jobs.runs("migrate")).length, 1);
      assert.deepEqual(
        (await jobs.runs("endless")).map(({ state }) => state),
        ["timed-out"],
      );

      await house.must("down", "-f", join(house.directory, "compose.yaml"));
      await eventually(
        "everything of the project is gone",
        async () => {
          const left = lab === undefined ? house.processes().length - 2 : (await house.leftInDocker()).length;
          return left <= 0;
        },
        { about: () => house.output },
      );
      await house.stop();
      await house.assertNothingLeft();
    });

    test(`on ${bedName(lab)} each due instant is in the ledger once, and ran once or is reported, through kill -9 at any moment`, async (t) => {
      const jobs = await JobHouse.open(t, lab);
      const { house } = jobs;
      // Longer than two containers take, also where the engine has much else to do: else runs pile up.
      const periodMs = lab === undefined ? 2_000 : 4_000;
      await house.serve();
      await jobs.up(
        jobs.job("tick", "sleep 0.2", {
          "job.schedule": `*/${periodMs / 1_000} * * * * *`,
          "job.tasks": "2",
          "job.catch_up": "all",
          "job.concurrency": "allow",
          "job.keep": "none",
        }),
      );
      await jobs.until("tick", "succeeded");
      for (let kill = 0; kill < (lab === undefined ? 5 : 3); kill += 1) {
        const untilDueMs = periodMs - (Date.now() % periodMs);
        await sleep(Math.max(0, untilDueMs - 150 + Math.random() * 900));
        await house.kill();
        await sleep(Math.random() * 300);
        await house.serve();
      }
      const last = Math.floor(Date.now() / periodMs) * periodMs;
      const runs = await eventually(
        "the runs that were due by then are over",
        async () => {
          const due = (await jobs.runs("tick")).filter(({ dueAtMs }) => dueAtMs <= last);
          return (
            due.some(({ dueAtMs }) => dueAtMs === last) &&
            due.every(({ endedAtMs }) => endedAtMs !== undefined) &&
            due
          );
        },
        { about: () => house.output },
      );

      const first = Math.min(...runs.map(({ dueAtMs }) => dueAtMs));
      const entries = new Map(runs.map((run) => [run.dueAtMs, run]));
      assert.equal(entries.size, runs.length, "an instant stands in the ledger twice");
      const told = jobs.told();
      for (let dueAtMs = first; dueAtMs <= last; dueAtMs += periodMs) {
        const run = entries.get(dueAtMs);
        const at = new Date(dueAtMs).toISOString();
        assert.ok(run !== undefined, `${at} was due and nobody says what became of it`);
        const begun = run.tasks.map(({ index }) => told.get(`${run.id} ${index} 1`) ?? 0);
        assert.ok(Math.max(0, ...begun) <= 1, `${at}: a task was begun twice`);
        if (run.state === "succeeded") assert.deepEqual(begun, [1, 1], at);
        else assert.ok(run.reason !== undefined, `${at} is ${run.state}, and nobody says why`);
      }
      assert.ok(
        runs.some(({ state }) => state === "succeeded"),
        JSON.stringify(runs),
      );
    });
  }

  test("that are due while they run are left out, run beside each other, or replace each other, as they say", async (t) => {
    const jobs = await JobHouse.open(t, undefined);
    await jobs.house.serve();
    const every = { "job.schedule": "* * * * * *" };
    await jobs.up(
      jobs.job("forbid", "sleep 2.5", every),
      jobs.job("allow", "sleep 2.5", { ...every, "job.concurrency": "allow" }),
      jobs.job("replace", "sleep 1000", { ...every, "job.concurrency": "replace" }),
    );
    const missed = await jobs.until("forbid", "missed");
    assert.match(missed.reason ?? "", /^the run \S+@\S+ is still under way$/);
    await eventually("two runs beside each other", async () => {
      const list = await jobs.house.client.jobs();
      return (list.find(({ name }) => name === "allow")?.active.length ?? 0) >= 2;
    });
    const replaced = await jobs.until("replace", "replaced");
    assert.equal(replaced.reason, "a later run was due");
    const refused = await jobs.house.flyball("run", "forbid");
    if (refused.status !== 0) assert.match(refused.stderr, /^JOB_RUNNING: .* is still under way/);
    await jobs.house.must("down", "-f", join(jobs.house.directory, "compose.yaml"));
    await eventually("no task is left", () => jobs.house.processes().length <= 2, {
      about: () => jobs.house.output,
    });
  });
});
