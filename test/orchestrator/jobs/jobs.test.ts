import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import { isFlyballError } from "../../../core/errors.ts";
import type { JobSpec } from "../../../core/job.ts";
import { createLog } from "../../../core/log.ts";
import { Store } from "../../../core/store.ts";
import type { Project, Service } from "../../../core/types.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import type { Engine } from "../../../orchestrator/engine.ts";
import { openProcessEngine } from "../../../orchestrator/engines/process/engine.ts";
import { Jobs } from "../../../orchestrator/jobs/jobs.ts";
import type { RunView } from "../../../orchestrator/jobs/view.ts";
import { project } from "../builders.ts";
import { eventually, shell } from "../real-engine.ts";

/** Half a minute before an hour is full. */
const START_MS = Date.UTC(2026, 10, 21, 9, 59, 30);

function job(name: string, line: string, spec: Partial<JobSpec>): Service {
  return {
    ...shell(name, line),
    initialReplicas: 0,
    job: {
      trigger: { kind: "manual" },
      tasks: 1,
      retries: 0,
      retryDelayMs: 0,
      concurrency: "forbid",
      catchUp: "last",
      catchUpAgeMs: DAY_MS,
      keep: "none",
      ...spec,
    },
  };
}

const hourly = { trigger: { kind: "schedule", lines: [{ cron: "0 * * * *" }] } } as const;

/** Jobs on a real process engine and a real store, under a wall clock that can be set. */
class JobStage {
  readonly directory: string;
  services: readonly Service[];
  jobs: Jobs;
  readonly #engine: Engine;
  readonly #store: Store;
  #offsetMs = START_MS - Date.now();
  readonly #signal = AbortSignal.timeout(60_000);

  private constructor(directory: string, engine: Engine, services: readonly Service[]) {
    this.directory = directory;
    this.services = services;
    this.#engine = engine;
    this.#store = new Store(directory);
    this.jobs = this.#open();
  }

  static async open(t: TestContext, ...services: Service[]): Promise<JobStage> {
    const directory = await mkdtemp(join(tmpdir(), "flyball-jobs-"));
    const engine = await openProcessEngine({
      dataDirectory: directory,
      instanceId: `test-${process.pid}-${directory.slice(-6)}`,
      clock: systemClock,
      log: createLog("silent"),
    });
    const stage = new JobStage(directory, engine, services);
    t.after(() => stage.#close());
    await stage.look();
    return stage;
  }

  /** Sets the wall clock forward, or back. */
  setClock(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** As after the end of the daemon, and the start of another. */
  async restart(): Promise<void> {
    await this.jobs[Symbol.asyncDispose]();
    this.jobs = this.#open();
    await this.look();
  }

  async look(): Promise<void> {
    this.jobs.observed(await this.#engine.observe([this.#project], this.#signal));
  }

  runs(name: string): readonly RunView[] {
    return this.jobs.runs(`shop_${name}`, 100);
  }

  /** `09:00 succeeded`, newest first. */
  told(name: string): string[] {
    return this.runs(name).map(
      ({ dueAtMs, state }) => `${new Date(dueAtMs).toISOString().slice(11, 16)} ${state}`,
    );
  }

  /** Looks until it is so. */
  async until(what: string, isSo: () => boolean): Promise<void> {
    await eventually(what, async () => {
      await this.look();
      return isSo();
    });
  }

  get tasks() {
    return this.#engine.observe([this.#project], this.#signal).then(({ tasks = [] }) => tasks);
  }

  get #project(): Project {
    return project(this.services, { workingDirectory: this.directory });
  }

  #open(): Jobs {
    return new Jobs({
      engine: this.#engine,
      store: this.#store,
      clock: { nowMs: () => Date.now() + this.#offsetMs, monotonicMs: () => performance.now() },
      log: createLog("silent"),
      projects: () => [this.#project],
    });
  }

  async #close(): Promise<void> {
    this.services = [];
    await eventually("no task is left", async () => {
      await this.look();
      return (await this.tasks).length === 0;
    });
    await this.jobs[Symbol.asyncDispose]();
    await this.#engine[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
    rmSync(this.directory, { recursive: true });
  }
}

describe("jobs under a clock that jumps", () => {
  test("an hour forward run what it has leapt over, once", async (t) => {
    const stage = await JobStage.open(t, job("backup", "true", hourly));
    stage.setClock(HOUR_MS);
    await stage.until("it has run", () => stage.told("backup").includes("10:00 succeeded"));
    assert.deepEqual(stage.told("backup"), ["10:00 succeeded"]);
    assert.equal(stage.jobs.list()[0]?.nextDueAtMs, Date.UTC(2026, 10, 21, 11));
  });

  test("an hour back run nothing again, through a restart as well", async (t) => {
    const stage = await JobStage.open(t, job("backup", "true", hourly));
    stage.setClock(MINUTE_MS);
    await stage.until("it has run", () => stage.told("backup").includes("10:00 succeeded"));
    stage.setClock(-HOUR_MS);
    await stage.look();
    await stage.restart();
    stage.setClock(HOUR_MS);
    await stage.look();
    stage.setClock(HOUR_MS);
    await stage.until("the next hour has run", () => stage.told("backup").includes("11:00 succeeded"));
    assert.deepEqual(stage.told("backup"), ["11:00 succeeded", "10:00 succeeded"]);
  });

  test("are not timed out by it, and do not wait an hour to try again", async (t) => {
    const stage = await JobStage.open(
      t,
      job("long", "exec sleep 60", { trigger: { kind: "once" }, timeoutMs: 10 * MINUTE_MS }),
      job("flaky", "test $JOB_ATTEMPT = 2", {
        trigger: { kind: "once" },
        retries: 1,
        retryDelayMs: 2 * SECOND_MS,
      }),
    );
    await stage.until("one runs, the other has failed once", () => {
      const [long, flaky] = [stage.runs("long")[0], stage.runs("flaky")[0]];
      return long?.tasks[0]?.state === "running" && flaky?.tasks[0]?.attempt === 2;
    });
    stage.setClock(HOUR_MS);
    await stage.look();
    assert.equal(stage.runs("long")[0]?.state, "running");
    stage.setClock(-2 * HOUR_MS);
    await stage.until("it was tried again", () => stage.runs("flaky")[0]?.state === "succeeded");
    assert.equal(stage.runs("long")[0]?.state, "running");
  });
});

describe("jobs of a project that changes", () => {
  test("that leave it are ended, and nothing of them is left", async (t) => {
    const stage = await JobStage.open(t, job("long", "exec sleep 60", { trigger: { kind: "once" } }));
    await stage.until("it runs", () => stage.runs("long")[0]?.tasks[0]?.state === "running");
    const { services } = stage;
    stage.services = [];
    await eventually("its task is gone", async () => {
      await stage.look();
      return (await stage.tasks).length === 0;
    });
    await stage.look();
    // It begins from nothing when it comes back.
    stage.services = services;
    await stage.until("it runs anew", () => stage.runs("long").length === 1);
  });

  test("are not due by new lines before those were there", async (t) => {
    const stage = await JobStage.open(t, job("backup", "true", hourly));
    stage.setClock(10 * MINUTE_MS);
    stage.services = [
      job("backup", "true", { trigger: { kind: "schedule", lines: [{ cron: "*/2 * * * *" }] } }),
    ];
    await stage.until("the old line has run", () => stage.told("backup").includes("10:00 succeeded"));
    assert.deepEqual(stage.told("backup"), ["10:00 succeeded"]);
    stage.setClock(MINUTE_MS);
    await stage.until("the new line has run", () => stage.told("backup").includes("10:10 succeeded"));
  });

  test("run once for each definition", async (t) => {
    const stage = await JobStage.open(t, job("migrate", "true", { trigger: { kind: "once" } }));
    await stage.until("it has run", () => stage.runs("migrate")[0]?.state === "succeeded");
    await stage.restart();
    await stage.look();
    assert.equal(stage.runs("migrate").length, 1);
    stage.services = [job("migrate", "true # other", { trigger: { kind: "once" } })];
    await stage.until("it has run again", () => stage.runs("migrate").length === 2);
  });

  test("that may run once at a time refuse to be run by hand beside that", async (t) => {
    const stage = await JobStage.open(t, job("long", "exec sleep 60", {}));
    const begun = stage.jobs.run("shop_long");
    assert.equal(begun.trigger, "manual");
    assert.throws(
      () => stage.jobs.run("shop_long"),
      (error) => isFlyballError(error) && error.code === "JOB_RUNNING",
    );
    stage.services = [job("long", "exec sleep 60", { concurrency: "replace" })];
    stage.jobs.run("shop_long");
    await stage.until("the first one is replaced", () => stage.runs("long")[1]?.state === "replaced");
  });
});
