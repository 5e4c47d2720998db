import assert from "node:assert/strict";
import { test } from "node:test";
import { isFlyballError } from "../../../core/errors.ts";
import { listProcesses, readCommandLine } from "../../../orchestrator/engines/process/proc.ts";
import { eventually } from "../docker-project.ts";
import { type OpenBench, STAYS } from "./bench.ts";

/** A sleep that no other test has, and how many there are of it on this machine. */
function ownSleep() {
  const words = ["sleep", String(100_000 + Math.floor(Math.random() * 1e9))];
  const count = () =>
    listProcesses().filter(({ pid }) => readCommandLine(pid) === `${words.join("\0")}\0`).length;
  return { line: words.join(" "), count };
}

/** Commands that are run inside a replica beside what it runs itself. */
export function commands(open: OpenBench): void {
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
}
