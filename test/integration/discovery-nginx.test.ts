import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { ensureImage, IMAGE } from "../../examples/demo/image.ts";
import { runCommand } from "../lab/command.ts";
import { type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";
import { NGINX_PROGRAM, Nginx, skipWithoutNginx, startLoad } from "./nginx.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAIN = join(ROOT, "cli/main.ts");
const EXAMPLE = join(ROOT, "examples/nginx/nginx.conf.liquid");
const engines = await labEngines();
const newest = engines.at(-1);

/** Goes on answering for a while after it was told to stop, as the shop of the examples does. */
const SERVER = [
  'const server = require("node:http").createServer((_, response) => response.end(process.pid + " "));',
  "server.keepAliveTimeout = 65000;",
  "server.listen(process.env.PORT ?? 8080);",
  'process.on("SIGTERM", () => setTimeout(() => process.exit(), 2500));',
].join(" ");

const COUNTS = [4, 2, 5, 1];

/** `flyball render` of the example beside an nginx that is told of each change. */
class KeptNginx implements AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  /** What the command said. */
  notes = "";
  readonly #house: FlyballHouse;
  readonly #render: ChildProcess;
  #nginx: Nginx | undefined;

  private constructor(house: FlyballHouse, port: number) {
    this.#house = house;
    this.directory = join(house.directory, "nginx");
    this.url = `http://127.0.0.1:${port}/`;
    mkdirSync(join(this.directory, "logs"), { recursive: true });
    const template = readFileSync(EXAMPLE, "utf8").replace("127.0.0.1:8080", `127.0.0.1:${port}`);
    const nginx = `${NGINX_PROGRAM} -p ${this.directory}`;
    const words = [
      ...["render", house.write("nginx.conf.liquid", template), this.#file],
      ...["--min-interval", "200ms", "--check", `${nginx} -t -q -c {}`],
      // There is nobody to tell before the first file is there.
      ...["--exec", `test ! -s ${join(this.directory, "nginx.pid")} || ${nginx} -c nginx.conf -s reload`],
    ];
    this.#render = spawn(process.execPath, [MAIN, ...words, "--address", house.client.address], {
      cwd: house.directory,
      env: { PATH: process.env["PATH"], HOME: house.directory },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#render.stderr?.on("data", (chunk) => (this.notes += chunk));
  }

  /** Once there is one server, and nginx answers. */
  static async start(house: FlyballHouse): Promise<KeptNginx> {
    const kept = new KeptNginx(house, await freePort());
    // By then nothing changes, and nothing is told to an nginx that has only half started.
    await kept.untilHas(1);
    kept.#nginx = new Nginx(kept.directory);
    await eventually("nginx answers", async () => (await kept.get()) !== undefined, {
      about: () => kept.#nginx?.complaints ?? "",
    });
    return kept;
  }

  get #file(): string {
    return join(this.directory, "nginx.conf");
  }

  get servers(): string[] {
    const text = existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
    return [...text.matchAll(/^ +server (\S+:\d+);$/gm)].map(([, server]) => server ?? "");
  }

  /** Also told of it. */
  async untilHas(count: number): Promise<void> {
    const isTold = () => this.written.at(-1) === count;
    await eventually(`nginx has ${count} servers`, () => this.servers.length === count && isTold(), {
      about: () => [this.servers.join(" "), this.notes, this.#house.output].join("\n"),
    });
  }

  /** How many servers there were in each file that nginx was told of. */
  get written(): number[] {
    return [...this.notes.matchAll(/was written: (\d+) endpoint/g)].map(([, count]) => Number(count));
  }

  /** Of one request; undefined when nobody answers. */
  async get(): Promise<number | undefined> {
    const answer = await fetch(this.url).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.status;
  }

  async assertValid(): Promise<void> {
    const { stderr, exitCode } = await runCommand(NGINX_PROGRAM, [
      "-p",
      this.directory,
      "-t",
      "-q",
      "-c",
      "nginx.conf",
    ]);
    assert.equal(exitCode, 0, stderr);
  }

  /** Stops the command as a person would, and gives its exit status. */
  async stop(): Promise<number | null> {
    if (this.#render.exitCode === null && this.#render.signalCode === null) {
      const ended = once(this.#render, "exit");
      this.#render.kill("SIGTERM");
      await ended;
    }
    return this.#render.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#nginx?.[Symbol.asyncDispose]();
  }
}

async function keepInStep(t: TestContext, lab: LabEngine | undefined): Promise<void> {
  const house = await FlyballHouse.open(t, lab);
  const node = lab === undefined ? process.execPath : "node";
  const file = house.compose(`  web:
    image: ${IMAGE}
    command: ${JSON.stringify([node, "-e", SERVER])}
    ports: ["8080"]
    stop_grace_period: 6s
    labels: { probe.http: "/" }
`);
  const scale = (replicas: number) => house.client.scale(house.serviceId(), { replicas });
  await house.serve();
  await house.must("up", "-f", file);
  await using nginx = await KeptNginx.start(house);

  const load = startLoad(nginx.url);
  for (const count of COUNTS) {
    await scale(count);
    await nginx.untilHas(count);
    await sleep(1_000);
  }
  const report = await load.stop();
  t.diagnostic(report.text);
  assert.ok(report.requests > 1_000, report.text);
  assert.equal(report.failed, 0, report.text);
  assert.deepEqual(report.socketErrors, {}, report.text);

  // Nobody is left, and the file stays one that nginx takes.
  await scale(0);
  await nginx.untilHas(0);
  await eventually("nginx says that nobody is there", async () => (await nginx.get()) === 503);
  await nginx.assertValid();
  await scale(2);
  await nginx.untilHas(2);
  await eventually("nginx has somebody to ask", async () => (await nginx.get()) === 200);

  // The daemon dies, and the next one knows only what it sees: of that nginx hears nothing. Those on their way out are
  // gone before, because a next daemon could not know that they were told to stop.
  await house.untilHas(2);
  const { servers, written } = nginx;
  await house.kill();
  await eventually("the command says so", () => /stays as it is: no daemon answers/.test(nginx.notes));
  assert.equal(await nginx.get(), 200);
  await house.serve();
  await eventually("the command says so too", () => /answers again/.test(nginx.notes));
  await scale(3);
  await nginx.untilHas(3);
  assert.deepEqual(
    nginx.servers.filter((server) => servers.includes(server)),
    servers,
  );
  assert.deepEqual(nginx.written, [...written, 3]);

  assert.equal(await nginx.stop(), 0);
  await house.must("down", "-f", file);
}

describe("a real nginx kept in step under load", { skip: skipWithoutNginx(), concurrency: true }, () => {
  test("with processes", (t) => keepInStep(t, undefined));

  test(`with containers of engine ${newest?.name}`, { skip: skipWithoutEngine(engines) }, async (t) => {
    assert.ok(newest !== undefined);
    await ensureImage(new Docker({ socketPath: newest.socketPath }), join(ROOT, "examples/shop"));
    await keepInStep(t, newest);
  });
});
