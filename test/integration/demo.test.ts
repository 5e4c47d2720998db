import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, type TestContext, test } from "node:test";
import Docker from "dockerode";
import { ensureImage, IMAGE } from "../../examples/demo/image.ts";
import type { DemoReport } from "../../examples/demo/report.ts";
import { dockerHostFor, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";

const DEMO = resolve(import.meta.dirname, "../../examples/demo/main.ts");
const SHOP = resolve(import.meta.dirname, "../../examples/shop");
const engines = await labEngines();

interface Demo {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown[]>;
  /** What it wrote so far. */
  readonly output: () => string;
  readonly reportFile: string;
  /** Where it keeps its temporary files. */
  readonly directory: string;
}

function startDemo(t: TestContext, ...args: string[]): Demo {
  const directory = mkdtempSync(join(tmpdir(), "flyball-demo-test-"));
  const reportFile = join(directory, "report.json");
  const child = spawn(process.execPath, [DEMO, "--report", reportFile, ...args], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  t.after(async () => {
    child.kill("SIGINT");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return { child, ended, output: () => output, reportFile, directory };
}

/** Resolves once the demo has written that. @throws when it ends before */
async function untilWritten(demo: Demo, pattern: RegExp): Promise<void> {
  while (!pattern.test(demo.output())) {
    const outcome = await Promise.race([once(demo.child.stdout ?? demo.child, "data"), demo.ended]);
    assert.ok(demo.child.exitCode === null || pattern.test(demo.output()), `${outcome}: ${demo.output()}`);
  }
}

/** The ids of processes whose command line or environment says that they belong to the demo's directory. */
function processesOf(demo: Demo): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return ["cmdline", "environ"].some((file) =>
        readFileSync(`/proc/${pid}/${file}`, "utf8").includes(demo.directory),
      );
    } catch {
      return false;
    }
  });
}

async function containersOfShop(engine: LabEngine): Promise<number> {
  const docker = new Docker({ socketPath: engine.socketPath });
  const filters = { label: ["com.docker.compose.project=shop"] };
  return (await docker.listContainers({ all: true, filters })).length;
}

async function assertLoopCloses(demo: Demo, engine: string): Promise<void> {
  const [status] = await demo.ended;
  assert.equal(status, 0, demo.output());
  const report = JSON.parse(readFileSync(demo.reportFile, "utf8")) as DemoReport;
  assert.equal(report.engine, engine);
  assert.equal(report.closed, true);
  assert.equal(report.failedRequests, 0);
  assert.ok(report.requests > 0);
  assert.match(demo.output(), /^Console: http:\/\/127\.0\.0\.1:\d+\/$/m);
  assertTold(report);
  assert.deepEqual(processesOf(demo), []);
}

/** Of the alert on both ways, and of its end where the shop has shrunk enough for it to be over. */
function assertTold({ told, replicas }: DemoReport): void {
  const isOver = (replicas.at(-1)?.[1] ?? 0) <= 2;
  for (const by of ["websocket", "mail"] as const) {
    const ways = told.filter((one) => one.by === by);
    const text = by === "mail" ? /^\[FIRING:1\] ServiceReplicas/ : /^shop_web: .*replicas > 2; \d+ now$/;
    assert.match(ways[0]?.text ?? "", text);
    assert.equal(ways.at(-1)?.status, isOver ? "resolved" : "firing", JSON.stringify(told));
  }
}

// Each takes a minute, most of it waiting: two at a time leave a small machine room to breathe.
describe("the demo closes the loop and leaves nothing running", { concurrency: 2 }, () => {
  test("on the process engine", async (t) => {
    await assertLoopCloses(startDemo(t, "--engine", "process"), "process");
  });

  for (const engine of engines) {
    test(`on Docker Engine ${engine.name}`, async (t) => {
      const demo = startDemo(t, "--engine", "docker", "--docker-host", dockerHostFor(engine));
      await assertLoopCloses(demo, "docker");
      assert.equal(await containersOfShop(engine), 0);
    });
  }
});

describe("the demo on the process engine", () => {
  test("interrupted, cleans up after itself", async (t) => {
    const demo = startDemo(t, "--engine", "process");
    await untilWritten(demo, /phase calm/);
    assert.notDeepEqual(processesOf(demo), []);
    demo.child.kill("SIGINT");
    assert.deepEqual(await demo.ended, [130, null]);
    assert.deepEqual(processesOf(demo), []);
  });

  test("says what the daemon last said when it dies, and leaves nothing running", async (t) => {
    const demo = startDemo(t, "--engine", "process");
    await untilWritten(demo, /phase calm/);
    const daemon = processesOf(demo).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("\0up\0"),
    );
    process.kill(Number(daemon), "SIGKILL");
    assert.deepEqual(await demo.ended, [1, null]);
    assert.match(demo.output(), /the daemon ended \(SIGKILL\); its last lines:\n.+/);
    assert.deepEqual(processesOf(demo), []);
  });
});

describe("the demo's image", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    test(`gets onto Docker Engine ${engine.name} once, without a registry`, async () => {
      const docker = new Docker({ socketPath: engine.socketPath });
      await ensureImage(docker, SHOP);
      assert.equal(await ensureImage(docker, SHOP), false);
      assert.deepEqual((await docker.getImage(IMAGE).inspect()).Config.Cmd, ["node", "web.ts"]);
    });
  }
});
