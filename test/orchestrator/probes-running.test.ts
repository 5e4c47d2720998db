import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Probe, Service } from "../../core/types.ts";
import { listProcesses, readCommandLine } from "../../orchestrator/engines/process/proc.ts";
import { eventually, Running, STAYS, shell } from "./real-engine.ts";

const asks = (line: string, timing: Partial<Probe> = {}): Probe => ({
  kind: "cmd",
  command: ["/bin/sh", "-c", line],
  intervalMs: 100,
  ...timing,
});

/** The hash is the same for another probe, as the compose room makes it. */
function probed(probe: Probe, changes: Partial<Service> = {}): Service {
  const definition = shell("web", STAYS);
  return { ...definition, ...changes, template: { ...definition.template, probe } };
}

const stateOf = (on: Running) => on.replicas()[0]?.state;

describe("replicas that answer by a command", { concurrency: 3 }, () => {
  test("are starting until it ends well, unhealthy when it has failed often, and say what it said", async (t) => {
    const on = await Running.start(t);
    await on.up(probed(asks("test -e ready || { echo not there yet; exit 4; }")));
    await eventually("it says why", () =>
      on.replicas().some((one) => one.notReadyBecause === "its command ended with status 4 (not there yet)"),
    );
    assert.equal(stateOf(on), "starting");
    const ready = join(on.directory, "ready");
    await writeFile(ready, "");
    await on.count(1);
    await rm(ready);
    await on.held(/is unhealthy: its command ended with status 4 \(not there yet\)$/u);
    await writeFile(ready, "");
    await on.count(1);
  });

  test("that hangs are not ready, and leave no command behind", async (t) => {
    const on = await Running.start(t);
    const sleep = ["sleep", String(100_000 + Math.floor(Math.random() * 1e9))];
    const line = `${sleep.join(" ")} & ${sleep.join(" ")}`;
    await on.up(probed(asks(line, { timeoutMs: 200 })));
    await eventually("it says why", () =>
      on.replicas().some((one) => one.notReadyBecause === "its command did not end within 200ms"),
    );
    await on.orchestrator[Symbol.asyncDispose]();
    const isIt = ({ pid }: { pid: number }) => readCommandLine(pid) === `${sleep.join("\0")}\0`;
    await eventually("nothing is left", () => !listProcesses().some(isIt));
  });

  test("are replaced when it has failed as often as probe.liveness allows", async (t) => {
    const on = await Running.start(t);
    await writeFile(join(on.directory, "ready"), "");
    await on.up(probed(asks("test -e ready"), { livenessFailures: 2 }));
    const [first] = await on.count(1);
    await rm(join(on.directory, "ready"));
    await eventually("another stands there", () => on.replicas().some(({ id }) => id !== first?.id));
  });

  test("serve on when another question is asked of them, until it has failed as often as it may", async (t) => {
    const on = await Running.start(t);
    await on.up(probed(asks("true")));
    await on.count(1);
    const states = new Set<string | undefined>();
    await on.up(probed(asks("exit 5", { retries: 2 })));
    await eventually("the other question is asked", () => {
      states.add(stateOf(on));
      return stateOf(on) === "unhealthy";
    });
    assert.deepEqual([...states], ["running", "unhealthy"]);
  });

  test("are asked by the probe of their own template while a newer one has yet to prove itself", async (t) => {
    const on = await Running.start(t);
    const quick = { updates: { update: { monitorMs: 100 }, rollback: { monitorMs: 100 } } };
    const version = (number: number) =>
      probed(asks(`test "$VERSION" = ${number}`), {
        ...quick,
        templateHash: `v${number}`,
        initialReplicas: 2,
      });
    const up = async (number: number) => {
      const { template, ...rest } = version(number);
      await on.up({ ...rest, template: { ...template, environment: { VERSION: String(number) } } });
    };
    await up(1);
    await on.count(2);
    await eventually("it is done", () => on.orchestrator.rollouts.some(({ state }) => state === "done"));
    await up(2);
    let fewest = 2;
    await eventually("all are new", () => {
      const ready = on.replicas().filter(({ state }) => state === "running");
      fewest = Math.min(fewest, ready.length);
      return ready.length === 2 && on.replicas().every(({ templateHash }) => templateHash === "v2");
    });
    assert.equal(fewest, 2);
  });
});
