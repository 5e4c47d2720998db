import { mkdtempSync, rmSync } from "node:fs";
import Docker from "dockerode";
import { startEngine, stopEngine } from "../../lab/engine.ts";
import { LAB_IMAGE } from "../../lab/engines.ts";
import { importImage } from "../../lab/image.ts";
import { assertMachine } from "../../lab/packages.ts";
import type { EngineState } from "../../lab/state.ts";

export interface FleetContainer {
  readonly id: string;
  readonly pid: number;
  readonly service: string;
}

/** Starting more at a time only makes each of them slower. */
const CONCURRENCY = 4;
const SERVICES = 10;
/** One in so many has a network of its own, as on the machines that were measured before. */
const NETWORKED = 10;
const IDLE = ["sh", "-c", "while :; do sleep 5; done"];

/** A Docker engine of its own with idle containers, gone without a trace afterwards. */
export class Fleet implements AsyncDisposable {
  readonly socketPath: string;
  readonly dockerdPid: number;
  readonly docker: Docker;
  readonly #directory: string;
  readonly #engine: EngineState;
  readonly #say: (line: string) => void;
  readonly #containers: FleetContainer[] = [];

  private constructor(directory: string, engine: EngineState, say: (line: string) => void) {
    this.#directory = directory;
    this.#engine = engine;
    this.#say = say;
    this.socketPath = engine.socketPath;
    this.dockerdPid = engine.dockerd?.pid ?? 0;
    this.docker = new Docker({ socketPath: engine.socketPath });
  }

  static async start(say: (line: string) => void): Promise<Fleet> {
    assertMachine();
    const directory = mkdtempSync("/var/tmp/flyball-bench.");
    const engine = await startEngine(directory, "20.10", say);
    const fleet = new Fleet(directory, engine, say);
    try {
      await importImage(engine.socketPath);
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  get containers(): readonly FleetContainer[] {
    return this.#containers;
  }

  /** Starts containers until there are so many. */
  async growTo(count: number): Promise<void> {
    const startedAtMs = performance.now();
    const first = this.#containers.length;
    await eachOf(
      Array.from({ length: count - first }, (_, index) => first + index),
      async (index) => {
        this.#containers.push(await this.startOne(index));
      },
    );
    this.#say(`${count} containers after ${seconds(performance.now() - startedAtMs)} s`);
  }

  async startOne(index: number): Promise<FleetContainer> {
    const service = `service-${index % SERVICES}`;
    const container = await this.docker.createContainer({
      name: `bench-${index}`,
      Image: LAB_IMAGE,
      Cmd: IDLE,
      Labels: {
        "business.team": `team-${index % 3}`,
        "business.tier": "backend",
        "com.docker.compose.project": "bench",
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": String(index),
        "com.docker.compose.oneoff": "False",
        "org.opencontainers.image.title": "bench",
        "org.opencontainers.image.version": "1.0.0",
      },
      HostConfig: {
        Memory: 64 * 1024 * 1024,
        NanoCpus: 500_000_000,
        NetworkMode: index % NETWORKED === 0 ? "bridge" : "none",
      },
    });
    await container.start();
    const { State } = await container.inspect();
    return { id: container.id, pid: State.Pid, service };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One after the other and not by the engine's own end, which would wait for each.
    await eachOf(await this.docker.listContainers({ all: true }), async ({ Id }) => {
      await this.docker.getContainer(Id).remove({ force: true, v: true });
    });
    await stopEngine(this.#directory, this.#engine);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
