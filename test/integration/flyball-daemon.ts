import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { Client } from "../../cli/client.ts";
import { Store } from "../../core/store.ts";
import { readCommandLine } from "../../orchestrator/engines/process/proc.ts";
import { isGate } from "../../orchestrator/engines/process/spawn.ts";
import { readInstance } from "../../orchestrator/instance.ts";
import { dockerHostFor, type LabEngine } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import { clearAway } from "./clear-away.ts";

const MAIN = resolve(import.meta.dirname, "../../cli/main.ts");
const CGROUPS = "/sys/fs/cgroup";
const PATIENCE_MS = 60_000;

/** What the tests run: stays, ends at once when told to, and is given an anonymous volume where there are any. */
export const SERVICE = `
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    volumes: ["/data"]
`;

/** Burns what CPU it gets while the file `busy` is there. */
const BURNS =
  "trap 'exit 0' TERM; while :; do if [ -e busy ]; then i=0; while [ $$i -lt 5000 ]; do i=$$((i+1)); done; else sleep 0.1; fi; done";

/** A `web` that goes up to three while it is busy. @param labels more of them, a line each */
export function busyService(stabilization: string, labels: readonly string[] = []): string {
  const more = labels.map((label) => `      ${label}\n`).join("");
  return `  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "${BURNS}"]
    stop_grace_period: 2s
    labels:
      autoscale.max_cpu: "60"
      autoscale.max: "3"
      autoscale.window: 2s
      autoscale.cooldown: 1s
      autoscale.stabilization: ${stabilization}
${more}    deploy: { resources: { limits: { cpus: "0.2" } } }
`;
}

/** Asks until the answer is neither false nor undefined; says how it looked last when that never comes. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
  { patienceMs = PATIENCE_MS, about = (): string => "" } = {},
): Promise<T> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen !== false && seen !== undefined) return seen;
    assert.ok(performance.now() < deadlineMs, `never happened: ${what}\n${about()}`);
    await sleep(50);
  }
}

/** What the engine itself says of a replica, past Flyball. */
export interface Seen {
  readonly id: string;
  readonly slot: number;
  readonly running: boolean;
  /** What the definition says of itself, in `VERSION_LABEL` and in `VERSION_VARIABLE`. */
  readonly version: string | undefined;
}

export const VERSION_LABEL = "test.version";
export const VERSION_VARIABLE = "TEST_VERSION";

export interface CommandEnd {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let housesMade = 0;

/**
 * A project, a data directory and the whole of Flyball as child processes. At the end of the test everything that
 * carries the project's name is removed, whatever became of the test.
 */
export class FlyballHouse {
  readonly project: string;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly client: Client;
  /** Of the API: `http://127.0.0.1:…`. */
  readonly address: string;
  /** Of the daemon that runs, and of those before it. */
  output = "";
  readonly #environment: Record<string, string>;
  readonly #lab: LabEngine | undefined;
  readonly #deferred: (() => Promise<unknown>)[] = [];
  #daemon: ChildProcess | undefined;

  private constructor(lab: LabEngine | undefined, port: number, more: Readonly<Record<string, string>>) {
    housesMade += 1;
    this.project = `fbe2e-${process.pid}-${housesMade}`;
    this.directory = mkdtempSync(join(tmpdir(), `${this.project}-`));
    this.dataDirectory = join(this.directory, "state");
    this.#lab = lab;
    this.address = `http://127.0.0.1:${port}`;
    this.client = new Client({ address: this.address });
    const modules = process.env["NODE_COMPILE_CACHE"];
    this.#environment = {
      PATH: process.env["PATH"] ?? "",
      // Its home is new, and so would be every module.
      ...(modules === undefined ? {} : { NODE_COMPILE_CACHE: modules }),
      HOME: this.directory,
      FLYBALL_DATA_DIR: this.dataDirectory,
      FLYBALL_LISTEN: `127.0.0.1:${port}`,
      FLYBALL_ENGINE: lab === undefined ? "process" : "docker",
      ...(lab === undefined ? {} : { DOCKER_HOST: dockerHostFor(lab) }),
      ...more,
    };
  }

  /** @param lab absent: on the process engine */
  static async open(
    t: Pick<TestContext, "after">,
    lab?: LabEngine,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<FlyballHouse> {
    const house = new FlyballHouse(lab, await freePort(), environment);
    t.after(() => house.#close());
    return house;
  }

  /** To be done at the end, when nothing of the house runs any more and before its directory goes. */
  defer(work: () => Promise<unknown>): void {
    this.#deferred.push(work);
  }

  get docker(): Docker {
    assert.ok(this.#lab !== undefined);
    return new Docker({ socketPath: this.#lab.socketPath });
  }

  get daemonPid(): number {
    assert.ok(this.#daemon?.pid !== undefined);
    return this.#daemon.pid;
  }

  serviceId(name = "web"): string {
    return `${this.project}_${name}`;
  }

  write(file: string, text: string | Uint8Array): string {
    const path = join(this.directory, file);
    writeFileSync(path, text);
    return path;
  }

  /** Writes `compose.yaml` with these services, `name:` and all. */
  compose(services: string): string {
    return this.write("compose.yaml", `name: ${this.project}\nservices:\n${services}`);
  }

  /** One command to its end. */
  async flyball(...words: string[]): Promise<CommandEnd> {
    const child = this.#spawn(words);
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk) => (stdout += chunk));
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await once(child, "close");
    clearTimeout(timer);
    return { status: child.exitCode, stdout, stderr };
  }

  /** The same, which must succeed. */
  async must(...words: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.flyball(...words);
    assert.equal(status, 0, `flyball ${words.join(" ")}: ${stderr}\n${this.output}`);
    return stdout + stderr;
  }

  /** Starts `flyball serve`; resolves when it is ready. */
  async serve(): Promise<void> {
    const child = this.#spawn(["serve"]);
    this.#daemon = child;
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (this.output += chunk));
    await eventually("the daemon is ready", async () => {
      assert.equal(child.exitCode, null, this.output);
      return (await this.readiness())?.ready;
    });
  }

  /** Undefined while nobody answers. */
  readiness() {
    return this.client.readiness().catch(() => undefined);
  }

  /** Ends the daemon as a power cut would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks the daemon to stop, and gives its exit status. */
  async stop(): Promise<number | null> {
    return await this.#end("SIGTERM");
  }

  /** What the engine itself has of the project. */
  async seen(name = "web"): Promise<readonly Seen[]> {
    if (this.#lab !== undefined) {
      const containers = await this.docker.listContainers({ all: true, filters: this.#filters });
      return containers
        .filter(({ Labels }) => Labels["com.docker.compose.service"] === name)
        .map(({ Id, Labels, State }) => ({
          id: Id,
          slot: Number(Labels["com.docker.compose.container-number"]),
          running: State === "running",
          version: Labels[VERSION_LABEL],
        }));
    }
    const byId = new Map<string, Seen>();
    for (const { environment } of this.#replicaProcesses()) {
      if (environment["FLYBALL_SERVICE"] !== this.serviceId(name)) continue;
      const id = environment["FLYBALL_REPLICA"] ?? "";
      byId.set(id, {
        id,
        slot: Number(environment["FLYBALL_SLOT"]),
        running: true,
        version: environment[VERSION_VARIABLE],
      });
    }
    return [...byId.values()];
  }

  /** True when the engine has exactly so many, each running in a seat of its own. */
  async has(count: number, name = "web"): Promise<boolean> {
    const seen = await this.seen(name);
    return (
      seen.length === count &&
      seen.every(({ running }) => running) &&
      new Set(seen.map(({ slot }) => slot)).size === count
    );
  }

  async untilHas(count: number, name = "web"): Promise<void> {
    await eventually(`${name} has ${count} replicas`, () => this.has(count, name), {
      about: () => this.output,
    });
  }

  /** How many replicas Flyball says there are, and how many there should be. */
  async counts(name = "web"): Promise<{ desired: number; ready: number }> {
    const { desired, ready } = (await this.client.service(this.serviceId(name))).replicas;
    return { desired, ready };
  }

  /** Pids of what runs in this house's name: daemon, collector, replicas and what these started. */
  processes(): number[] {
    return processIds().filter((pid) => {
      const text = readText(`/proc/${pid}/environ`) + readText(`/proc/${pid}/cmdline`);
      return text.includes(this.directory) || text.includes(`FLYBALL_PROJECT=${this.project}`);
    });
  }

  /** Anonymous volumes, networks and containers that carry the project's name, or belong to what does. */
  async leftInDocker(): Promise<string[]> {
    const containers = await this.docker.listContainers({ all: true, filters: this.#filters });
    const networks = await this.docker.listNetworks({ filters: this.#filters });
    return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
  }

  /** Volumes that no container uses; a leaked anonymous one among them. */
  async danglingVolumes(): Promise<Set<string>> {
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify({ dangling: ["true"] }) });
    return new Set((Volumes ?? []).map(({ Name }) => Name));
  }

  /** The control groups that the process engine made for this data directory. Not while a daemon runs. */
  cgroups(): string[] {
    if (!existsSync(this.dataDirectory)) return [];
    using store = new Store(this.dataDirectory);
    const instance = readInstance(store);
    if (instance === undefined || !existsSync(CGROUPS)) return [];
    return ["", ...readdirSync(CGROUPS)]
      .map((controller) => join(CGROUPS, controller, "flyball", instance.id))
      .filter((path) => existsSync(path));
  }

  /** After `down` and the daemon's end nothing of it may be left anywhere. */
  async assertNothingLeft(): Promise<void> {
    await eventually("no process is left", () => this.processes().length === 0, {
      patienceMs: 10_000,
      about: () =>
        this.processes()
          .map((pid) => readText(`/proc/${pid}/cmdline`))
          .join("\n"),
    });
    if (this.#lab !== undefined) assert.deepEqual(await this.leftInDocker(), []);
    assert.deepEqual(this.cgroups(), []);
  }

  get #filters(): { label: string[] } {
    return { label: [`com.docker.compose.project=${this.project}`] };
  }

  #spawn(words: readonly string[]): ChildProcess {
    return spawn(process.execPath, [MAIN, ...words], {
      cwd: this.directory,
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    const child = this.#daemon;
    this.#daemon = undefined;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  }

  #replicaProcesses() {
    return processIds().flatMap((pid) => {
      const environment = Object.fromEntries(
        readText(`/proc/${pid}/environ`)
          .split("\0")
          .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
      ) as Record<string, string>;
      const ours = environment["FLYBALL_PROJECT"] === this.project;
      const isReplica = ours && environment["FLYBALL_ROLE"] === "replica";
      // One at the gate is not the command yet, and may never be.
      return isReplica && !isGate(readCommandLine(pid)) ? [{ pid, environment }] : [];
    });
  }

  async #close(): Promise<void> {
    await this.#end("SIGKILL");
    if (this.#lab !== undefined) await clearAway(this.docker, this.#filters);
    await eventually("every process has ended", () => {
      for (const pid of this.processes()) killQuietly(pid);
      return this.processes().length === 0;
    });
    for (const path of this.cgroups()) removeCgroup(path);
    for (const work of this.#deferred) await work();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function processIds(): number[] {
  return readdirSync("/proc").flatMap((name) =>
    /^\d+$/.test(name) && Number(name) !== process.pid ? [Number(name)] : [],
  );
}

/** Empty for what has ended by now. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** A control group is removed as a directory, from the inside out. */
function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  }
  rmdirSync(path);
}
