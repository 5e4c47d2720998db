import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { type Balancer, Refusal } from "./balancer.ts";
import { Haproxy } from "./haproxy/haproxy.ts";
import { type Memory, readMemory, writeMemory } from "./memory.ts";
import { Ports } from "./ports.ts";
import { addressText, type Front, structureOf, type TrafficTable } from "./table.ts";

/** After a refusal, or a port that was taken. */
const TRY_AGAIN_AFTER_MS = 5_000;
/** One that lived so long did not end because of how it was started. */
const LONG_LIFE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface KeeperOptions {
  readonly dataDirectory: string;
  readonly binary: string;
  readonly clock: Clock;
  readonly log: Log;
  /** It is time to bring the table anew. */
  readonly onEnd: () => void;
}

/**
 * Keeps a balancer at the table that was brought last: HAProxy, which is started again when it ends, or the built-in one
 * where there is no HAProxy to start. Bears their refusals.
 */
export class Keeper implements AsyncDisposable {
  readonly haproxy: Haproxy;
  readonly ports = new Ports(TRY_AGAIN_AFTER_MS);
  readonly #options: KeeperOptions;
  readonly #directory: string;
  #memory: Memory;
  #trouble: string | undefined;
  /** The structure that was refused, and until when it is not tried again. */
  #refused: { readonly asked: string; readonly untilMs: number } | undefined;
  #builtIn: Balancer | undefined;
  #balancer: Balancer;
  /** The next one takes the place of one that ended unasked. */
  #hasDied = false;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;
  #startAgain: NodeJS.Timeout | undefined;
  #starts = 0;
  #reloads = 0;

  constructor(options: KeeperOptions) {
    const { dataDirectory, binary, clock, log } = options;
    this.#options = options;
    this.#directory = join(dataDirectory, "traffic");
    this.#memory = readMemory(this.#directory);
    const onEnd = () => this.#ended();
    this.haproxy = new Haproxy({ directory: this.#directory, binary, clock, log, onEnd });
    this.#balancer = this.haproxy;
  }

  /** Who had what when the balancer was last given a new configuration, perhaps by an earlier daemon. */
  get memory(): Memory {
    return this.#memory;
  }

  /** Absent: it has what was asked for. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** The one that leads requests, or will when there is something to lead. */
  get balancer(): Balancer {
    return this.#balancer;
  }

  /** Since the daemon started, as are the restarts. */
  get reloads(): number {
    return this.#reloads;
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** True: there was one, and it goes on. */
  async adopt(): Promise<boolean> {
    const adopted = await this.haproxy.adopt();
    if (adopted) this.#started();
    return adopted;
  }

  /** Whether anything of the table cannot be listened on. True: other addresses are taken than before. */
  async lookAtPorts({ fronts }: TrafficTable): Promise<boolean> {
    const nowMs = this.#options.clock.monotonicMs();
    const listening = new Set(this.#memory.addresses);
    const isNew = ({ host, port }: Front) => !listening.has(addressText(host, port));
    // HAProxy shares an address with another HAProxy without a word, so that nobody but us can tell that it is taken. The
    // one that has just died may hold its own for a moment, and is no reason to wait.
    const isSuccessor = this.#hasDied && this.#trouble === undefined;
    const unsure = this.#balancer.runs ? fronts.filter(isNew) : isSuccessor ? [] : fronts;
    return await this.ports.look(unsure, nowMs);
  }

  /** False: it could not be done, `trouble` says why, and what ran goes on. */
  async bring(table: TrafficTable): Promise<boolean> {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const asked = structureOf(table);
    const isWorthIt = this.#refused?.asked !== asked || nowMs >= this.#refused.untilMs;
    try {
      if (!this.#balancer.runs) {
        if (!isWorthIt || nowMs < this.#startedAtMs + this.#pauseMs) return false;
        this.#balancer = await this.#choice();
      }
      const outcome = await this.#balancer.bring(table, isWorthIt);
      if (outcome === "start") this.#started();
      if (outcome === "reload") this.#reloads += 1;
      if (outcome === "start" || outcome === "reload") this.#remember(table, outcome);
      if (isWorthIt) this.#refused = undefined;
      if (isWorthIt) this.#trouble = undefined;
      return isWorthIt;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refused = { asked, untilMs: nowMs + TRY_AGAIN_AFTER_MS };
      if (this.#trouble !== error.message) log.warn({}, `traffic: ${error.message}`);
      this.#trouble = error.message;
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#trouble = undefined;
    this.#refused = undefined;
    if (!this.#balancer.runs) return;
    await this.#balancer.stop();
    const { name } = this.#balancer;
    this.#options.log.info(
      {},
      `traffic: no service asks for ${name} any more; it ends with its last connection`,
    );
  }

  /** Leaves HAProxy running; the built-in one ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#startAgain);
    await this.haproxy[Symbol.asyncDispose]();
    await this.#builtIn?.[Symbol.asyncDispose]();
  }

  #started(): void {
    this.#starts += 1;
    this.#hasDied = false;
    this.#startedAtMs = this.#options.clock.monotonicMs();
  }

  #remember(table: TrafficTable, outcome: string): void {
    const addresses = table.fronts.map(({ host, port }) => addressText(host, port));
    const wakers = Object.fromEntries(
      table.backends.flatMap(({ name, waker }) => (waker === undefined ? [] : [[name, waker.port]])),
    );
    this.#memory = { owners: table.owners, addresses, wakers };
    writeMemory(this.#directory, this.#memory);
    const done = outcome === "start" ? "serves" : "has a new configuration";
    this.#options.log.info(
      { addresses, backends: table.backends.length },
      `traffic: ${this.#balancer.name} ${done}`,
    );
  }

  /** HAProxy where there is one. */
  async #choice(): Promise<Balancer> {
    const { binary, clock, log } = this.#options;
    const version = await this.haproxy.version().catch((error: unknown) => {
      throw new Refusal(`${binary} cannot be run: ${messageOf(error)}`);
    });
    if (version !== undefined && !isTooOld(version)) return this.haproxy;
    if (this.#builtIn === undefined) {
      // Loaded where it is needed: others do without it.
      const { ProxyBalancer } = await import("./proxy/proxy.ts");
      this.#builtIn = new ProxyBalancer({ clock });
      const why =
        version === undefined ? `there is no program ${binary}` : `${binary} is of version ${version}`;
      const remedy =
        "install HAProxy 2.6 or newer, or name it as traffic.haproxy, for one that goes on without it";
      log.warn({}, `traffic: ${why}: the daemon leads requests itself, while it runs; ${remedy}`);
    }
    return this.#builtIn;
  }

  #ended(): void {
    const { clock, log, onEnd } = this.#options;
    const livedMs = clock.monotonicMs() - this.#startedAtMs;
    // At once; only one that ends again and again is given time.
    this.#pauseMs =
      livedMs > LONG_LIFE_MS ? 0 : Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs));
    this.#hasDied = true;
    log.warn({ livedMs: Math.round(livedMs) }, "traffic: HAProxy has ended; it is started again");
    // Not before the pause is over: a pass that comes sooner does nothing, and the next one may be a second away. A timer
    // may be early by a part of a millisecond.
    const inMs = this.#startedAtMs + this.#pauseMs - clock.monotonicMs();
    clearTimeout(this.#startAgain);
    this.#startAgain = setTimeout(onEnd, Math.max(0, Math.ceil(inMs) + 1));
  }
}

/** Before 2.6 servers cannot be added while it runs. */
function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major < 2 || (major === 2 && minor < 6);
}
