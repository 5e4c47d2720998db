import type { Clock } from "../../core/clock.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Balancer, Outcome } from "../balancer.ts";
import type { Running } from "../changes.ts";
import { addHistograms, type Histogram } from "../latency.ts";
import type { Snapshot } from "../readings.ts";
import { addressText, type Front, structureOf, type TrafficTable } from "../table.ts";
import { ProxyBackend } from "./backend.ts";
import type { Door } from "./door.ts";
import { HttpDoor } from "./http-door.ts";
import { HttpLeader } from "./http-leader.ts";
import { TcpDoor } from "./tcp-door.ts";

/** Requests that are under way when the daemon ends may be answered within this time. */
const LAST_ANSWERS_MS = 3 * SECOND_MS;

/** The balancer of those who have no HAProxy. It is a part of the daemon, and ends with it. */
export class ProxyBalancer implements Balancer {
  readonly name = "the built-in balancer";
  readonly #leader: HttpLeader;
  readonly #backends = new Map<string, ProxyBackend>();
  readonly #doors = new Map<string, Door>();
  /** Closed, with something under way. */
  readonly #closing = new Set<Door>();
  #structure = "";
  #starts = 0;

  constructor({ clock }: { readonly clock: Clock }) {
    this.#leader = new HttpLeader(clock);
  }

  get runs(): boolean {
    return this.#doors.size > 0;
  }

  async bring(table: TrafficTable, mayReload: boolean): Promise<Outcome> {
    const haveChanged = table.backends.map((wanted) => this.#backends.get(wanted.name)?.keep(wanted));
    const structure = structureOf(table);
    const { runs } = this;
    if (structure === this.#structure && runs) return haveChanged.includes(true) ? "commands" : "none";
    if (!mayReload && runs) return "none";
    await this.#rebuild(table);
    this.#structure = structure;
    if (!runs) this.#starts += 1;
    return runs ? "reload" : "start";
  }

  async running(): Promise<Running> {
    const servers = Array.from(this.#backends.values(), ({ name: backend, servers: those }) =>
      those.map(({ name, host, port, weight, isOpen: open }) => ({
        backend,
        name,
        host,
        port,
        weight,
        open,
      })),
    );
    return { structure: this.#structure, servers: servers.flat() };
  }

  async close(backends: readonly string[], server: string): Promise<void> {
    for (const name of backends) this.#backends.get(name)?.close(server);
  }

  async open(backends: readonly string[], server: string): Promise<number> {
    return backends
      .flatMap((name) => this.#backends.get(name)?.servers ?? [])
      .filter(({ name }) => name === server)
      .reduce((sum, { open }) => sum + open, 0);
  }

  async snapshot(nowMs: number): Promise<Snapshot> {
    const latencies = new Map<string, Histogram>();
    for (const { name, histogram } of [...this.#backends.values()].flatMap(({ servers }) => servers)) {
      const before = latencies.get(name);
      latencies.set(name, before === undefined ? [...histogram] : addHistograms([before, histogram]));
    }
    const counted = [...this.#backends.values()].flatMap((backend) => backend.counted());
    return { atMs: nowMs, epoch: this.#starts, counted, latencies };
  }

  async stop(): Promise<void> {
    for (const [key, door] of this.#doors) this.#close(key, door);
    this.#forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const doors = [...this.#doors.values(), ...this.#closing];
    await Promise.all(doors.map((door) => door.end(LAST_ANSWERS_MS)));
    this.#forget();
  }

  /** All or nothing: where one address cannot be had, doors and routes are those that there were. */
  async #rebuild(table: TrafficTable): Promise<void> {
    const wanted = new Map(table.fronts.map((front) => [keyOf(front), front]));
    const addresses = new Set(table.fronts.map(addressOf));
    for (const [key, door] of this.#doors) {
      // Nobody can listen where another protocol is spoken still.
      if (!wanted.has(key) && addresses.has(key.slice(key.indexOf(" ") + 1))) this.#close(key, door);
    }
    for (const one of table.backends) {
      if (!this.#backends.has(one.name)) this.#backends.set(one.name, new ProxyBackend(one));
    }
    const opened = new Map<string, Door>();
    try {
      for (const [key, front] of wanted) {
        if (!this.#doors.has(key)) opened.set(key, await this.#openDoor(front));
      }
    } catch (error) {
      for (const door of opened.values()) this.#leave(door);
      throw error;
    }
    for (const [key, door] of this.#doors) {
      const front = wanted.get(key);
      if (front === undefined) this.#close(key, door);
      else door.lead(front.routes);
    }
    for (const [key, door] of opened) this.#doors.set(key, door);
    const names = new Set(table.backends.map(({ name }) => name));
    for (const [name, backend] of this.#backends) {
      if (names.has(name)) continue;
      backend[Symbol.dispose]();
      this.#backends.delete(name);
    }
  }

  #openDoor(front: Front): Promise<Door> {
    return front.mode === "http"
      ? HttpDoor.open(front, this.#backends, this.#leader)
      : TcpDoor.open(front, this.#backends);
  }

  #close(key: string, door: Door): void {
    this.#doors.delete(key);
    this.#leave(door);
  }

  #leave(door: Door): void {
    this.#closing.add(door);
    void door.close().then(() => this.#closing.delete(door));
  }

  #forget(): void {
    for (const backend of this.#backends.values()) backend[Symbol.dispose]();
    this.#backends.clear();
    this.#doors.clear();
    this.#structure = "";
  }
}

function keyOf(front: Front): string {
  return `${front.mode} ${addressOf(front)}`;
}

function addressOf({ host, port }: Front): string {
  return addressText(host, port);
}
