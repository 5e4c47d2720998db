import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { ReplicaId } from "../../core/types.ts";
import { GoneError } from "../read/kept-file.ts";
import { type Host, openReader, type Readable, type Reader } from "../read/reader.ts";
import type { Discovery } from "./discovered.ts";
import { engineAddress } from "./engine-address.ts";
import { EngineClient } from "./engine-client.ts";
import { EngineDiscovery } from "./engine-discovery.ts";
import { StatsReader } from "./engine-stats.ts";

export interface EngineSourceOptions {
  /** As `DOCKER_HOST`; empty: what is found on this machine. */
  readonly dockerHost: string;
  /** For the sockets of engines that run as this user. */
  readonly runtimeDirectory?: string | undefined;
  readonly host: Host;
  readonly clock: Clock;
  readonly onChange: () => void;
  readonly note: (line: string) => void;
}

/** An engine whose containers are followed, and how each of them is read. */
export class EngineSource implements AsyncDisposable {
  readonly #client: EngineClient;
  readonly #discovery: EngineDiscovery;
  readonly #options: EngineSourceOptions;
  /** Why files of containers could not be read, each said once. */
  readonly #said = new Set<string>();
  /** A container of the engine was found among this machine's processes. */
  #isHere = false;
  /** Read from the engine's stats. */
  readonly #byStats = new Set<ReplicaId>();

  /** @throws FlyballError CONFIG_INVALID */
  constructor(options: EngineSourceOptions) {
    const { dockerHost, runtimeDirectory, clock, onChange, note } = options;
    this.#options = options;
    this.#client = new EngineClient(engineAddress(dockerHost, runtimeDirectory));
    this.#discovery = new EngineDiscovery({ client: this.#client, clock, onChange, note });
  }

  get address(): string {
    return this.#client.address.text;
  }

  get engineVersion(): string | undefined {
    return this.#discovery.engineVersion;
  }

  get discovery(): Discovery {
    return this.#discovery;
  }

  /** How many containers are read from the engine's stats, for want of their files. */
  get readByStats(): number {
    return this.#byStats.size;
  }

  /** Follows all containers of the engine from now on. */
  follow(): void {
    this.#discovery.start();
  }

  /** From its files where they are on this machine and may be read, else from the engine's stats. @throws GoneError */
  open(readable: Readable): Reader {
    const { host } = this.#options;
    if (readable.kind === "process") return openReader(readable, host);
    // The ids of another machine's processes are other processes here.
    if (this.#client.address.kind === "tcp") return this.#openStats(readable.id);
    try {
      const reader = openReader(readable, host);
      this.#isHere = true;
      return reader;
    } catch (error) {
      // An engine in a virtual machine has no process here; one of this machine has lost this one only.
      if (error instanceof GoneError) {
        if (this.#isHere) throw error;
      } else this.#sayWhy(messageOf(error), readable);
      return this.#openStats(readable.id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#discovery[Symbol.asyncDispose]();
    this.#client[Symbol.dispose]();
  }

  #openStats(id: ReplicaId): Reader {
    const reader = new StatsReader(this.#client, this.#options.clock, id);
    this.#byStats.add(id);
    const dispose = (): void => {
      this.#byStats.delete(id);
      reader[Symbol.dispose]();
    };
    return {
      read: () => reader.read(),
      note: (details) => reader.note(details),
      pids: () => reader.pids(),
      [Symbol.dispose]: dispose,
    };
  }

  #sayWhy(reason: string, { id, pid }: Readable): void {
    const general = reason.replaceAll(id, "ID").replaceAll(String(pid), "PID");
    if (this.#said.has(general)) return;
    this.#said.add(general);
    this.#options.note(`${reason}; read from the engine's stats instead, which costs the engine more`);
  }
}
