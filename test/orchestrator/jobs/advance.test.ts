import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobSpec, ObservedTask } from "../../../core/job.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../../core/units.ts";
import {
  type Advanced,
  advance,
  afterJump,
  endEarly,
  type RunScene,
  withContainer,
  withRefusal,
  withStarted,
} from "../../../orchestrator/jobs/advance.ts";
import { newRun, type Run } from "../../../orchestrator/jobs/run.ts";

const DUE_MS = Date.UTC(2026, 10, 21, 3);

function job(more: Partial<JobSpec> = {}): JobSpec {
  return {
    trigger: { kind: "manual" },
    tasks: 1,
    retries: 0,
    retryDelayMs: 10 * SECOND_MS,
    concurrency: "forbid",
    catchUp: "last",
    catchUpAgeMs: DAY_MS,
    keep: "none",
    ...more,
  };
}

function run(more: Partial<JobSpec> = {}): Run {
  return newRun({
    service: "shop_backup",
    project: "shop",
    dueAtMs: DUE_MS,
    trigger: "schedule",
    definition: "d1",
    job: job(more),
  });
}

function scene(more: Partial<RunScene> = {}): RunScene {
  return { nowMs: DUE_MS, tasks: [], complete: true, isUnsettled: () => false, ...more };
}

function container(of: Run, more: Partial<ObservedTask> = {}): ObservedTask {
  const { task = 0, attempt = 1 } = more;
  return {
    run: of.id,
    task,
    attempt,
    replica: `c${task}.${attempt}`,
    project: "shop",
    service: "shop_backup",
    name: "",
    state: "running",
    ...more,
  };
}

function exited(of: Run, exitCode: number | undefined, more: Partial<ObservedTask> = {}): ObservedTask {
  return container(of, { state: "exited", ...(exitCode === undefined ? {} : { exitCode }), ...more });
}

/** A run whose tasks have all been started. */
function started(of: Run): Run {
  const { run: begun } = advance(of, scene());
  return of.tasks.reduce((so, task, index) => {
    return withStarted(withContainer(so, index, `c${index}.${task.attempt}`), index, DUE_MS);
  }, begun);
}

function told({ run: { state, reason }, actions }: Advanced): string {
  const done = actions.map((action) => `${action.kind} ${action.task}`);
  return [state, ...(reason === undefined ? [] : [`(${reason})`]), ...done].join(" ");
}

describe("a run", () => {
  test("begins when it may, one container for each task", () => {
    const pending = run({ tasks: 2 });
    const begun = advance(pending, scene());
    assert.equal(told(begun), "running launch 0 launch 1");
    assert.equal(begun.run.startedAtMs, DUE_MS);
  });

  test("waits, and says for what, as long as it may not begin", () => {
    const waiting = advance(run(), scene({ waitsFor: "waits for db to be healthy" }));
    assert.equal(told(waiting), "pending (waits for db to be healthy)");
    const again = advance(waiting.run, scene({ waitsFor: "waits for db to be healthy" }));
    assert.equal(again.run, waiting.run);
    const begun = advance(waiting.run, scene());
    assert.equal(told(begun), "running launch 0");
  });

  test("that could not begin for too long is missed, and one that was asked for by hand never", () => {
    const late = scene({ nowMs: DUE_MS + 2 * DAY_MS, waitsFor: "waits for db to be healthy" });
    assert.equal(
      told(advance(run(), late)),
      "missed (it could not begin within 1d: waits for db to be healthy)",
    );
    assert.equal(
      told(advance({ ...run(), trigger: "manual" }, late)),
      "pending (waits for db to be healthy)",
    );
  });

  test("succeeds when every task has ended well", () => {
    const going = started(run({ tasks: 2 }));
    const half = advance(going, scene({ tasks: [exited(going, 0), container(going, { task: 1 })] }));
    assert.equal(told(half), "running");
    const done = advance(half.run, scene({ tasks: [exited(going, 0), exited(going, 0, { task: 1 })] }));
    assert.equal(told(done), "succeeded");
    assert.deepEqual(
      done.run.tasks.map(({ exitCode }) => exitCode),
      [0, 0],
    );
  });

  test("fails with its last task, having let the others finish", () => {
    const going = started(run({ tasks: 2 }));
    const half = advance(going, scene({ tasks: [exited(going, 3), container(going, { task: 1 })] }));
    assert.equal(told(half), "running");
    const done = advance(half.run, scene({ tasks: [exited(going, 0, { task: 1 })] }));
    assert.equal(told(done), "failed (1 of 2 tasks failed: it ended with status 3)");
  });

  test("says that its memory ran out, and that nobody saw the end", () => {
    const going = started(run());
    assert.equal(
      told(advance(going, scene({ tasks: [exited(going, 137, { oomKilled: true })] }))),
      "failed (it ran out of memory)",
    );
    assert.equal(
      told(advance(going, scene({ tasks: [exited(going, undefined)] }))),
      "failed (it ended while nobody watched)",
    );
  });

  test("tries a failed task again, after pauses that double, as often as it may", () => {
    let going = started(run({ retries: 2 }));
    let nowMs = DUE_MS;
    const pauses: number[] = [];
    for (const attempt of [1, 2]) {
      going = advance(going, scene({ nowMs, tasks: [exited(going, 1, { attempt })] })).run;
      const { notBeforeMs = 0 } = going.tasks[0] ?? assert.fail();
      pauses.push(notBeforeMs - nowMs);
      assert.equal(told(advance(going, scene({ nowMs: notBeforeMs - 1 }))), "running");
      nowMs = notBeforeMs;
      assert.deepEqual(advance(going, scene({ nowMs })).actions, [
        { kind: "launch", run: going.id, task: 0, attempt: attempt + 1 },
      ]);
      going = withStarted(withContainer(going, 0, `c0.${attempt + 1}`), 0, nowMs);
    }
    assert.deepEqual(pauses, [10 * SECOND_MS, 20 * SECOND_MS]);
    const over = advance(going, scene({ nowMs, tasks: [exited(going, 1, { attempt: 3 })] }));
    assert.equal(told(over), "failed (it ended with status 1, at its attempt 3)");
  });

  test("counts a refusal of the engine as an attempt", () => {
    const begun = advance(run({ retries: 1 }), scene()).run;
    const refused = withRefusal(begun, 0, "there is no image nowhere", DUE_MS);
    assert.deepEqual(refused.tasks[0], {
      state: "waiting",
      attempt: 2,
      notBeforeMs: DUE_MS + 10 * SECOND_MS,
      reason: "there is no image nowhere",
    });
    const again = withRefusal(refused, 0, "there is no image nowhere", DUE_MS);
    assert.equal(told(advance(again, scene())), "failed (there is no image nowhere, at its attempt 2)");
  });

  test("that takes too long is stopped, and ends when its tasks have", () => {
    const going = started(run({ timeoutMs: MINUTE_MS, retries: 5 }));
    const nowMs = DUE_MS + MINUTE_MS;
    const stopping = advance(going, scene({ nowMs, tasks: [container(going)] }));
    assert.equal(told(stopping), "stopping (it took longer than 1m) stop 0");
    const still = advance(stopping.run, scene({ nowMs, tasks: [container(going, { state: "stopping" })] }));
    assert.equal(told(still), "stopping (it took longer than 1m)");
    const over = advance(still.run, scene({ nowMs, tasks: [exited(going, 143)] }));
    assert.equal(told(over), "timed-out (it took longer than 1m)");
    assert.equal(over.run.tasks[0]?.state, "stopped");
  });

  test("is not ended by a clock that jumps an hour", () => {
    const going = started(run({ timeoutMs: MINUTE_MS }));
    const nowMs = DUE_MS + HOUR_MS + 10 * SECOND_MS;
    const jumped = afterJump(going, HOUR_MS);
    assert.equal(told(advance(jumped, scene({ nowMs, tasks: [container(going)] }))), "running");
    const later = scene({ nowMs: nowMs + MINUTE_MS, tasks: [container(going)] });
    assert.match(told(advance(jumped, later)), /^stopping/);
  });

  test("that is replaced before it began ends without a container", () => {
    const replaced = endEarly(run(), "replaced", "a later run was due");
    assert.equal(told(advance(replaced, scene())), "replaced (a later run was due)");
  });

  test("that is replaced while it waits to try again does not try again", () => {
    const going = started(run({ retries: 3 }));
    const waiting = advance(going, scene({ tasks: [exited(going, 1)] })).run;
    const replaced = endEarly(waiting, "replaced", "a later run was due");
    assert.equal(
      told(advance(replaced, scene({ nowMs: DUE_MS + HOUR_MS }))),
      "replaced (a later run was due)",
    );
  });
});

describe("after a restart a run", () => {
  const begun = () => advance(run(), scene()).run;

  test("whose container was never written down makes it, or takes the one that was made", () => {
    assert.deepEqual(advance(begun(), scene()).actions, [
      { kind: "launch", run: begun().id, task: 0, attempt: 1 },
    ]);
    const found = scene({ tasks: [container(begun(), { state: "created" })] });
    assert.deepEqual(advance(begun(), found).actions, [
      { kind: "launch", run: begun().id, task: 0, attempt: 1, replica: "c0.1" },
    ]);
  });

  test("whose container was written down and not started starts it", () => {
    const noted = withContainer(begun(), 0, "c0.1");
    const found = scene({ tasks: [container(noted, { state: "created" })] });
    assert.equal(told(advance(noted, found)), "running launch 0");
  });

  test("whose container was started, which nobody had written down yet, goes on with it", () => {
    const noted = withContainer(begun(), 0, "c0.1");
    const going = advance(noted, scene({ tasks: [container(noted)] }));
    assert.equal(told(going), "running");
    assert.equal(going.run.tasks[0]?.state, "running");
    assert.equal(told(advance(noted, scene({ tasks: [exited(noted, 0)] }))), "succeeded");
  });

  test("whose container is gone has failed: it may have done its work, so it is not done twice", () => {
    const noted = withContainer(begun(), 0, "c0.1");
    assert.equal(
      told(advance(noted, scene())),
      "failed (its container is gone, and nobody knows how it ended)",
    );
  });

  test("waits with that judgement while the engine does not show everything, or an action was just under way", () => {
    const noted = withContainer(begun(), 0, "c0.1");
    assert.equal(told(advance(noted, scene({ complete: false }))), "running");
    assert.equal(told(advance(noted, scene({ isUnsettled: () => true }))), "running");
  });

  test("whose container is shown as not started, though it was started just now, does not start it again", () => {
    const going = started(run());
    const shown = { tasks: [container(going, { state: "created" })] };
    assert.equal(told(advance(going, scene({ ...shown, isUnsettled: () => true }))), "running");
    assert.equal(told(advance(going, scene(shown))), "running launch 0");
  });
});
