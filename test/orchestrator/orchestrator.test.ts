import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isFlyballError } from "../../core/errors.ts";
import type { Engine } from "../../orchestrator/engine.ts";
import { project } from "./builders.ts";
import { eventually, Running, STAYS, shell } from "./real-engine.ts";

const web = shell("web", STAYS);

function hasShop({ orchestrator }: Running): boolean {
  return orchestrator.projects.some(({ name }) => name === "shop");
}

describe("the orchestrator with real processes", { concurrency: 4 }, () => {
  test("brings up what a project asks for, scales it out and in, and keeps the replicas that stay", async (t) => {
    const on = await Running.start(t);
    await on.up(web);
    const [first] = await on.count(1);
    on.orchestrator.setReplicas("shop_web", 4);
    const four = await on.count(4);
    assert.deepEqual(four.map(({ slot }) => slot).toSorted(), [1, 2, 3, 4]);
    on.orchestrator.setReplicas("shop_web", 2);
    const two = await on.count(2);
    assert.deepEqual(two.map(({ slot }) => slot).toSorted(), [1, 2]);
    assert.ok(
      two.some(({ id, pid }) => id === first?.id && pid === first?.pid),
      "the first one was left alone",
    );
    on.orchestrator.setReplicas("shop_web", 0);
    await on.count(0);
    assert.deepEqual(on.pids(), []);
    assert.ok(
      on.actions.every((action) => action.endsWith(": done")),
      on.actions.join(", "),
    );
  });

  test("starts a replica again that was killed by hand", async (t) => {
    const on = await Running.start(t);
    await on.up({ ...web, initialReplicas: 2 });
    const [victim, other] = await on.count(2);
    assert.ok(victim?.pid !== undefined);
    process.kill(victim.pid, "SIGKILL");
    await eventually("it runs with another pid", () =>
      on
        .replicas()
        .some(({ slot, pid, state }) => slot === victim.slot && state === "running" && pid !== victim.pid),
    );
    const after = await on.count(2);
    assert.ok(after.some(({ pid }) => pid === other?.pid));
  });

  test("waits longer each time for one that ends again and again, and says so", async (t) => {
    const on = await Running.start(t);
    await on.up(shell("web", "exit 3"));
    await on.held(/^shop_web 1: failed once \(it ended with status 3\); tried again in/);
    await on.held(
      /^shop_web 1: failed 2 times in a row \(it ended with status 3\); tried again in (?:1\.|2s)/,
    );
    await on.held(/^shop_web 1: failed 3 times in a row .* tried again in [34]/);
    const starts = on.actions.filter((action) => action.startsWith("start")).length;
    assert.equal(starts, 3, on.actions.join(", "));
    assert.equal(on.replicas().length, 1);
  });

  test("is not held up by one that crashes when another service scales", async (t) => {
    const on = await Running.start(t);
    await on.up(shell("bad", "exit 1"), web);
    await on.held(/failed/, "bad");
    on.orchestrator.setReplicas("shop_web", 3);
    await on.count(3);
  });

  test("leaves one that ended as its policy says", async (t) => {
    const on = await Running.start(t);
    await on.up(shell("web", "exit 0", { restart: { condition: "on-failure", delayMs: 0 } }));
    await on.held(/ended, and restart is on-failure/);
    await sleep(300);
    assert.deepEqual(
      on.replicas().map(({ state }) => state),
      ["exited"],
    );
  });

  test("gives up after the attempts that the policy allows", async (t) => {
    const on = await Running.start(t);
    await on.up(shell("web", "exit 1", { restart: { condition: "any", delayMs: 10, maxAttempts: 2 } }));
    await on.held(/ended 2 times and is not restarted again/);
    assert.equal(on.actions.filter((action) => action.startsWith("start")).length, 2);
  });

  test("removes a service that the project no longer names", async (t) => {
    const on = await Running.start(t);
    await on.up(web, shell("old", STAYS));
    await Promise.all([on.count(1), on.count(1, "old")]);
    await on.up(web);
    await on.count(0, "old");
    await on.count(1);
  });

  test("removes a project with all that it had, and forgets it", async (t) => {
    const on = await Running.start(t);
    await on.up({ ...web, initialReplicas: 3 }, shell("bad", "exit 1"));
    await on.count(3);
    const plan = await on.orchestrator.removeProject("shop");
    assert.ok(plan.actions.length >= 4);
    await eventually("the project is forgotten", () => !hasShop(on));
    assert.deepEqual(on.pids(), []);
    assert.deepEqual(on.orchestrator.observed?.replicas, []);
    await assert.rejects(
      on.orchestrator.removeProject("shop"),
      (error) => isFlyballError(error) && error.code === "NOT_FOUND",
    );
  });

  test("scales out while a replica that ignores its stop signal takes its time", async (t) => {
    const on = await Running.start(t);
    const line = "trap '' TERM; echo stubborn; while :; do sleep 0.1; done";
    const stubborn = shell("web", line, { stopGraceMs: 60_000 });
    await on.up({ ...stubborn, initialReplicas: 2 }, shell("api", STAYS));
    const [both] = await Promise.all([on.count(2), on.count(1, "api")]);
    for (const { id, service } of both) {
      await eventually("it would ignore a signal", async () =>
        (await on.engine.logs(id, service, 1)).includes("stubborn"),
      );
    }
    on.orchestrator.setReplicas("shop_web", 1);
    const leaving = await eventually("one is stopping", () =>
      on.replicas().find(({ state }) => state === "stopping"),
    );
    on.orchestrator.setReplicas("shop_api", 3);
    on.orchestrator.setReplicas("shop_web", 3);
    await on.count(3, "api");
    await eventually("three run beside the one that is stopping", () => {
      const states = on.replicas().map(({ state }) => state);
      return states.filter((state) => state === "running").length === 3 && states.includes("stopping");
    });
    assert.ok(!on.replicas().some(({ slot, id }) => slot === leaving.slot && id !== leaving.id));
  });

  test("is ready only when the probe says so", async (t) => {
    const on = await Running.start(t);
    const serving = shell("web", "", {
      command: [
        process.execPath,
        "-e",
        "setTimeout(() => require('http').createServer((q, s) => s.end()).listen(process.env.PORT), 500)",
      ],
      probe: { kind: "http", path: "/" },
    });
    await on.up(serving);
    await eventually("it is starting", () => on.replicas().some(({ state }) => state === "starting"));
    const [ready] = await on.count(1);
    assert.ok((ready?.readyAtMs ?? 0) > (ready?.startedAtMs ?? Number.POSITIVE_INFINITY));
  });

  test("plans without doing, and does what it planned", async (t) => {
    const on = await Running.start(t);
    const wanted = project([{ ...web, initialReplicas: 2 }], { workingDirectory: on.directory });
    const plan = await on.orchestrator.planProject(wanted);
    assert.equal(plan.actions.length, 4);
    await sleep(300);
    assert.equal(hasShop(on), false);
    assert.deepEqual(on.pids(), []);
    const applied = await on.orchestrator.applyProject(wanted);
    assert.deepEqual(applied, plan);
    await on.count(2);
  });
});

/** An engine of which single methods are replaced. */
function withChanges(engine: Engine, changes: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get: (target, key) => {
      const value: unknown = Reflect.get(Object.hasOwn(changes, key) ? changes : target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("an engine in trouble", { concurrency: 4 }, () => {
  test("is named while it cannot be seen, and the plan is finished when it is back", async (t) => {
    let away = false;
    const on = await Running.start(t, (engine) =>
      withChanges(engine, {
        observe: (projects, signal) => {
          if (away) throw new FlyballError("ENGINE_UNAVAILABLE", "the engine is away");
          return engine.observe(projects, signal);
        },
        perform: (action, context, signal) => {
          if (away) throw new FlyballError("ENGINE_UNAVAILABLE", "the engine is away");
          return engine.perform(action, context, signal);
        },
      }),
    );
    await on.up(web);
    await on.count(1);
    away = true;
    on.orchestrator.setReplicas("shop_web", 3);
    await eventually("it is named", () => on.orchestrator.engineTrouble === "the engine is away");
    assert.equal(on.replicas().length, 1, "what was seen last is still told");
    away = false;
    await on.count(3);
    assert.equal(on.orchestrator.engineTrouble, undefined);
    await on.processes(3);
  });

  test("that refuses a removal is asked again after a while, not all the time, and others go on", async (t) => {
    let refusals = 0;
    let refuses = true;
    const on = await Running.start(t, (engine) =>
      withChanges(engine, {
        perform: async (action, context, signal) => {
          if (action.kind === "remove-replica" && action.slot === 2 && refuses) {
            refusals += 1;
            throw new FlyballError("ENGINE_REFUSED", "it is busy");
          }
          return engine.perform(action, context, signal);
        },
      }),
    );
    await on.up({ ...web, initialReplicas: 2 }, shell("api", STAYS));
    await on.count(2);
    on.orchestrator.setReplicas("shop_web", 1);
    await on.held(/^shop_web 2: failed 2 times in a row \(it is busy\); tried again in/);
    assert.equal(refusals, 2);
    on.orchestrator.setReplicas("shop_api", 2);
    await on.count(2, "api");
    refuses = false;
    await on.count(1);
    await on.processes(3);
  });

  test("that refuses a removal keeps the project from being forgotten before all of it is gone", async (t) => {
    let refuses = true;
    const on = await Running.start(t, (engine) =>
      withChanges(engine, {
        perform: async (action, context, signal) => {
          if (action.kind === "remove-replica" && refuses) {
            throw new FlyballError("ENGINE_REFUSED", "it is busy");
          }
          return engine.perform(action, context, signal);
        },
      }),
    );
    await on.up(web);
    await on.count(1);
    await on.orchestrator.removeProject("shop");
    // A pass later too, when there is nothing to do but to wait.
    await on.held(/^shop_web 1: failed 2 times in a row \(it is busy\)/);
    await sleep(1_500);
    assert.equal(hasShop(on), true);
    refuses = false;
    await eventually("the project is forgotten", () => !hasShop(on));
    assert.deepEqual(on.orchestrator.observed?.replicas, []);
  });

  test("that shows only a part is not acted on", async (t) => {
    let partly = false;
    const on = await Running.start(t, (engine) =>
      withChanges(engine, {
        observe: async (projects, signal) => {
          const seen = await engine.observe(projects, signal);
          return partly ? { ...seen, complete: false, replicas: [] } : seen;
        },
      }),
    );
    await on.up(web);
    await on.count(1);
    partly = true;
    on.orchestrator.setReplicas("shop_web", 3);
    await on.held(/could not be read completely/);
    await sleep(300);
    await on.processes(1);
    partly = false;
    await on.count(3);
  });
});
