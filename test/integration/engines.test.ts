import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import type { Action, ObservedReplica, ReplicaId, ReplicaTemplate } from "../../core/types.ts";
import type { Command, Engine } from "../../orchestrator/engine.ts";
import { listProcesses, readCommandLine } from "../../orchestrator/engines/process/proc.ts";
import { LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { aProject, aService, aTemplate } from "../orchestrator/engines/docker/builders.ts";
import { Lab } from "../orchestrator/engines/process/harness.ts";
import { DockerProject, eventually } from "./docker-project.ts";

/** What every engine is to do alike: the contract of orchestrator/engine.ts, on each engine that is here. */

const STAYS = "trap 'exit 0' TERM; sleep 1000 & wait";

/** One project on one engine; the service `web` runs a line in a shell. */
class Bench {
  readonly engine: Engine;
  readonly #project: string;

  constructor(engine: Engine, project: string) {
    this.engine = engine;
    this.#project = project;
  }

  get service(): string {
    return `${this.#project}_web`;
  }

  create(line: string, slot = 1, more: Partial<ReplicaTemplate> = {}): Promise<ReplicaId> {
    return this.#perform(this.#action({ kind: "create-replica", slot }), line, more).then((id) => {
      assert.ok(id !== undefined, "create-replica gives an id");
      return id;
    });
  }

  start(replica: ReplicaId, line = STAYS): Promise<unknown> {
    return this.#perform(this.#action({ kind: "start-replica", slot: 1, replica }), line);
  }

  stop(replica: ReplicaId): Promise<unknown> {
    return this.#perform(this.#action({ kind: "stop-replica", slot: 1, replica }));
  }

  remove(replica: ReplicaId): Promise<unknown> {
    return this.#perform(this.#action({ kind: "remove-replica", slot: 1, replica }));
  }

  run(replica: ReplicaId, line: string, more: Partial<Command> = {}, signal = AbortSignal.timeout(60_000)) {
    const command = { argv: ["/bin/sh", "-c", line], timeoutMs: 20_000, outputBytes: 1_000, ...more };
    return this.engine.run(replica, command, signal);
  }

  async replicas(line = STAYS): Promise<readonly ObservedReplica[]> {
    const state = await this.engine.observe([this.#define(line)], AbortSignal.timeout(30_000));
    assert.equal(state.complete, true);
    return state.replicas;
  }

  async see(replica: ReplicaId): Promise<ObservedReplica | undefined> {
    return (await this.replicas()).find(({ id }) => id === replica);
  }

  async until(replica: ReplicaId, state: ObservedReplica["state"]): Promise<ObservedReplica> {
    let seen: ObservedReplica | undefined;
    await eventually(`${replica} is ${state}`, async () => {
      seen = await this.see(replica);
      return seen?.state === state;
    });
    assert.ok(seen !== undefined);
    return seen;
  }

  #action(words: Record<string, unknown>): Action {
    return { id: 0, after: [], cause: "a test", service: this.service, ...words } as unknown as Action;
  }

  #perform(
    action: Action,
    line = STAYS,
    more: Partial<ReplicaTemplate> = {},
  ): Promise<ReplicaId | undefined> {
    const project = this.#define(line, more);
    const [service] = project.services;
    const context = { project, ...(service === undefined ? {} : { service }) };
    return this.engine.perform(action, context, AbortSignal.timeout(60_000));
  }

  #define(line: string, more: Partial<ReplicaTemplate> = {}) {
    const template = aTemplate({
      image: LAB_IMAGE,
      command: ["sh", "-c", line],
      stopGraceMs: 2_000,
      networkMode: "none",
      ...more,
    });
    return aProject(this.#project, [aService(this.#project, "web", { template })], { workingDirectory: "/" });
  }
}

/** A sleep that no other test has, and how many there are of it on this machine. */
function ownSleep() {
  const words = ["sleep", String(100_000 + Math.floor(Math.random() * 1e9))];
  const count = () =>
    listProcesses().filter(({ pid }) => readCommandLine(pid) === `${words.join("\0")}\0`).length;
  return { line: words.join(" "), count };
}

type OpenBench = (t: TestContext) => Promise<Bench>;

function conformance(open: OpenBench): void {
  test("a replica is created, started, stopped and removed, and each may be asked for again", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    const created = await on.until(id, "created");
    assert.equal(created.service, on.service);
    assert.equal(created.slot, 1);
    assert.equal(created.origin, "flyball");
    assert.equal(created.templateHash, "hash-1");
    assert.equal(created.pid, undefined);

    await on.start(id);
    await on.start(id);
    const running = await on.until(id, "running");
    assert.ok(running.pid !== undefined && running.startedAtMs !== undefined);
    process.kill(running.pid, 0);

    await on.stop(id);
    await on.stop(id);
    const stopped = await on.until(id, "exited");
    assert.equal(stopped.exitCode, 0);
    assert.equal(stopped.pid, undefined);

    await on.start(id);
    const again = await on.until(id, "running");
    assert.ok((again.startedAtMs ?? 0) >= running.startedAtMs);
    await on.remove(id);
    await on.remove(id);
    assert.deepEqual(await on.replicas(), []);
    await on.stop(id);
  });

  test("creating what was created and never started gives the same replica", async (t) => {
    const on = await open(t);
    const [first, second] = [await on.create(STAYS), await on.create(STAYS)];
    assert.equal(second, first);
    assert.equal((await on.replicas()).length, 1);
    await on.remove(first);
  });

  test("replicas keep to their slots", async (t) => {
    const on = await open(t);
    const ids = await Promise.all([1, 2, 3].map((slot) => on.create(STAYS, slot)));
    await Promise.all(ids.map((id) => on.start(id)));
    const seen = (await on.replicas()).toSorted((a, b) => a.slot - b.slot);
    assert.deepEqual(
      seen.map(({ id, slot, state }) => ({ id, slot, state })),
      ids.map((id, index) => ({ id, slot: index + 1, state: "running" })),
    );
    assert.equal(new Set(seen.map(({ name }) => name)).size, 3);
    await Promise.all(ids.map((id) => on.remove(id)));
    assert.deepEqual(await on.replicas(), []);
  });

  test("a replica that ends by itself is seen with its status, and hints come", async (t) => {
    const on = await open(t);
    await on.replicas();
    let hints = 0;
    using _ = on.engine.watch(() => {
      hints += 1;
    });
    const id = await on.create("sleep 0.3; exit 7");
    await on.start(id, "sleep 0.3; exit 7");
    const ended = await on.until(id, "exited");
    assert.equal(ended.exitCode, 7);
    assert.ok(ended.exitedAtMs !== undefined);
    await eventually("a hint came", () => hints > 0);
    await on.remove(id);
  });

  test("one that ignores its stop signal is killed after its grace", async (t) => {
    const on = await open(t);
    const stubborn = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    const id = await on.create(stubborn, 1, { stopGraceMs: 1_000 });
    await on.start(id, stubborn);
    await eventually("it ignores the signal", async () =>
      (await on.engine.logs(id, on.service, 5)).includes("ready"),
    );
    const stopping = on.stop(id);
    await on.until(id, "stopping");
    await stopping;
    assert.equal((await on.until(id, "exited")).exitCode, 137);
    await on.remove(id);
  });

  test("the environment and the command reach it, and its lines can be read", async (t) => {
    const on = await open(t);
    const line = 'echo "colour is $COLOUR"; echo "trouble" >&2';
    const id = await on.create(line, 1, { environment: { COLOUR: "dark $blue" } });
    await on.start(id, line);
    await on.until(id, "exited");
    const text = await on.engine.logs(id, on.service, 10);
    assert.match(text, /^colour is dark \$blue$/m);
    assert.match(text, /^trouble$/m);
    await on.remove(id);
  });

  test("a command that is not there is refused, and leaves nothing running", async (t) => {
    const on = await open(t);
    const missing = { command: ["/no/such/program"] };
    const attempt = async () => {
      const id = await on.create("", 1, missing);
      await on.start(id);
    };
    await assert.rejects(attempt(), (error) => isFlyballError(error) && error.code === "ENGINE_REFUSED");
    for (const { id, state } of await on.replicas()) {
      assert.notEqual(state, "running");
      await on.remove(id);
    }
  });

  test("a command in a replica has its environment, and gives its status and the end of what it wrote", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS, 1, { environment: { COLOUR: "dark blue" } });
    await on.start(id);
    await on.until(id, "running");
    assert.deepEqual(await on.run(id, 'test "$COLOUR" = "dark blue"'), { exitCode: 0, output: "" });
    const { exitCode, output } = await on.run(id, "echo said; echo complained >&2; exit 3");
    assert.equal(exitCode, 3);
    assert.deepEqual(output.split("\n").sort(), ["", "complained", "said"]);
    const much = await on.run(id, "i=0; while [ $i -lt 9999 ]; do echo line $i; i=$((i+1)); done", {
      outputBytes: 40,
    });
    assert.equal(much.exitCode, 0);
    assert.equal(much.output.length, 40);
    assert.ok(much.output.endsWith("line 9998\n"));
    const missing = await on.run(id, "", { argv: ["/no/such/program"] });
    assert.equal(missing.exitCode, 127);
    assert.match(missing.output, /no\/such\/program/u);
    await on.remove(id);
  });

  test("a command that hangs is ended at its deadline with what it started, and so is one that nobody waits for any more", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    await on.start(id);
    await on.until(id, "running");
    const { line, count } = ownSleep();
    const late = await on.run(id, `echo begun; ${line} & ${line}`, { timeoutMs: 1_500 });
    assert.deepEqual(late, { output: "begun\n" });
    await eventually("nothing is left of it", () => count() === 0);

    const abort = new AbortController();
    const running = on.run(id, `${line} & ${line}`, {}, abort.signal);
    await eventually("it runs", () => count() === 2);
    abort.abort(new Error("nobody waits"));
    await assert.rejects(running, /nobody waits/u);
    await eventually("nothing is left of that", () => count() === 0);
    assert.equal((await on.see(id))?.state, "running");
    await on.remove(id);
  });

  test("a command ends with the replica that it runs in, and where none runs there is none", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    await on.start(id);
    await on.until(id, "running");
    const { line, count } = ownSleep();
    const running = on.run(id, line);
    await eventually("it runs", () => count() === 1);
    const [end] = await Promise.allSettled([running, on.remove(id)]);
    if (end.status === "fulfilled") assert.notEqual(end.value.exitCode, 0);
    assert.equal(count(), 0);
    await assert.rejects(
      on.run(id, "true"),
      (error) => isFlyballError(error) && error.code === "ENGINE_REFUSED",
    );
  });

  test("of a project that nobody asks about nothing is said", async (t) => {
    const on = await open(t);
    const id = await on.create(STAYS);
    const state = await on.engine.observe([aProject("fbtest-nobody", [])], AbortSignal.timeout(30_000));
    assert.deepEqual(state.replicas, []);
    assert.equal(state.complete, true);
    await on.remove(id);
  });
}

describe("the process engine", () => {
  conformance(async (t) => {
    const lab = await Lab.open(t);
    return new Bench((await lab.engine()).engine, "shop");
  });
});

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("a Docker Engine", { skip }, () => {});

for (const lab of skip === false ? engines : []) {
  describe(`Docker ${lab.name}`, { concurrency: 3 }, () => {
    conformance(async (t) => {
      const on = await DockerProject.open(lab, "conform");
      t.after(() => on[Symbol.asyncDispose]());
      return new Bench(on.engine, on.name);
    });
  });
}
