import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { Loop } from "../core/loop.ts";
import type {
  ObservedReplica,
  ReplicaId,
  Service,
  ServiceId,
  SignsOfUse,
  TrafficReading,
} from "../core/types.ts";
import type { Running } from "./changes.ts";
import { Drains } from "./drains.ts";
import type { Processes } from "./haproxy/answers.ts";
import { Keeper } from "./keeper.ts";
import { FULL_WEIGHT, RAMP_MS, RAMP_STEP_MS } from "./ramp.ts";
import { type Accounts, account, readingsOf } from "./readings.ts";
import type { Shares } from "./shares.ts";
import { buildTable, type HeldDoor, serverName, type TrafficTable } from "./table.ts";
import { signsOfUse, sleepersOf, withWakers } from "./waker/sleepers.ts";
import { Waker } from "./waker/waker.ts";

export interface TrafficOptions {
  readonly dataDirectory: string;
  /** Where doors without an address of their own listen. */
  readonly http: { readonly host: string; readonly port: number };
  /** The HAProxy program: a path, or a name that is looked for in PATH. Where there is none, what is built in leads. */
  readonly haproxy: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Somebody waits for a service that sleeps, who is the first to. */
  readonly onWaiting?: (service: ServiceId) => void;
}

/** What is known of services and replicas at one instant. */
export interface TrafficUpdate {
  readonly services: readonly Service[];
  readonly replicas: readonly ObservedReplica[];
  /** False: replicas that are missing may well exist. */
  readonly complete: boolean;
  /** Of services of which two templates stand side by side. */
  readonly shares?: Shares;
}

/** `idle` no service asks for traffic · `running` · `trouble` the balancer does not have what was asked for last */
export interface TrafficStatus {
  readonly state: "idle" | "running" | "trouble";
  /** HAProxy, or the one that is built in. */
  readonly balancer: string;
  /** What is wrong, for a person. */
  readonly reason?: string;
  /** Doors that lead nowhere, and why. */
  readonly held: readonly HeldDoor[];
  /** Since the daemon started, as are the restarts. */
  readonly reloads: number;
  readonly restarts: number;
}

const INTERVAL_MS = 1_000;
/** Counters are read this often, whatever brings a pass forward. */
const READ_EVERY_MS = 900;
const AFTER_FAILURE_MS = 100;
const TRUSTED_FOR_MS = 10_000;

/** Leads requests to replicas that are ready: keeps a balancer that has what services and replicas ask for. */
export class Traffic implements AsyncDisposable {
  readonly #options: TrafficOptions;
  readonly #keeper: Keeper;
  readonly #drains: Drains;
  readonly #waker: Waker;
  readonly #loop: Loop;
  readonly #sinceMs = new Map<ReplicaId, number>();
  #update: TrafficUpdate | undefined;
  #table: TrafficTable | undefined;
  #adopted = false;
  /** Those that served when this daemon began. */
  #trusted: { readonly replicas: Set<ReplicaId>; readonly untilMs: number } | undefined;
  #accounts: Accounts | undefined;
  #readings: readonly TrafficReading[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;
  #held = "";
  #failure = "";
  #nextTimer: NodeJS.Timeout | undefined;
  /** Of those who wait for a pass that begins after they have asked. */
  #waiting: (() => void)[] = [];

  constructor(options: TrafficOptions) {
    const { dataDirectory, haproxy: binary, clock, log, onWaiting = () => {} } = options;
    this.#options = options;
    const nudge = () => this.#loop.nudge();
    this.#keeper = new Keeper({ dataDirectory, binary, clock, log, onEnd: nudge });
    this.#waker = new Waker({ log, onWaiting, knownPorts: this.#keeper.memory.wakers });
    this.#drains = new Drains({
      clock,
      close: (replica) => this.#close(replica),
      open: (replica) => this.#keeper.balancer.open(this.#backendsOf(replica), serverName(replica)),
      onChange: nudge,
    });
    this.#loop = new Loop({
      intervalMs: INTERVAL_MS,
      maxBackoffMs: INTERVAL_MS,
      clock,
      pass: () => this.#pass().catch((error: unknown) => this.#failed(error)),
      onError: (error) => log.error({ err: error }, "traffic: a pass has ended in a way that nobody expects"),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** What is asked for from now on: always everything. */
  update(update: TrafficUpdate): void {
    this.#update = update;
    this.#loop.nudge();
  }

  /**
   * The replica gets nothing new from now on. Resolves when it has nothing left, when the grace is over, or at once where
   * no traffic goes to it. After it the replica is expected to stop; one that is still there half a minute later
   * takes requests again, and so does one whose drain the signal ends.
   */
  async drain(replica: ReplicaId, graceMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#backendsOf(replica).length === 0) return;
    await this.#drains.drain(replica, graceMs, signal);
  }

  /** Of each service and replica that traffic goes to, as read last. */
  readings(): readonly TrafficReading[] {
    return this.#readings;
  }

  /** Who uses each service that may sleep; nothing of those of whom nobody knows now. */
  signsOfUse(): ReadonlyMap<ServiceId, SignsOfUse> {
    return signsOfUse(this.readings(), this.#waker.signs, this.#options.clock.nowMs());
  }

  status(): TrafficStatus {
    const { trouble: reason, balancer, reloads, restarts } = this.#keeper;
    const rest = { balancer: balancer.name, held: this.#table?.held ?? [], reloads, restarts };
    if (reason !== undefined) return { state: "trouble", reason, ...rest };
    return { state: balancer.runs ? "running" : "idle", ...rest };
  }

  /** What the balancer has now. @throws when it does not answer */
  running(): Promise<Running> {
    return this.#keeper.balancer.running();
  }

  /** Of HAProxy. @throws when it does not answer */
  processes(): Promise<Processes> {
    return this.#keeper.haproxy.processes();
  }

  /** Leaves HAProxy running: none of its connections ends because the daemon does. Those of the built-in one do. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#nextTimer);
    await this.#loop.stop();
    for (const resolve of this.#waiting) resolve();
    clearTimeout(this.#nextTimer);
    // Who is held is told before the built-in balancer waits for its last answers.
    await Promise.all([this.#keeper[Symbol.asyncDispose](), this.#waker[Symbol.asyncDispose]()]);
  }

  /** At once where others of the service serve; with the next pass where its successor has to come first. */
  async #close(replica: ReplicaId): Promise<void> {
    const backends = (this.#table?.backends ?? []).filter(({ servers }) =>
      servers.some((server) => server.replica === replica),
    );
    const draining = this.#drains.replicas;
    const hasOthers = backends.every(({ servers }) =>
      servers.some((server) => !draining.has(server.replica)),
    );
    const names = backends.map(({ name }) => name);
    if (hasOthers) await this.#keeper.balancer.close(names, serverName(replica)).catch(() => {});
    await this.#nextPass();
  }

  /** Resolves when everything that is known now has reached the balancer: those that come before those that go. */
  #nextPass(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.#loop.nudge();
    return promise;
  }

  async #pass(): Promise<void> {
    const update = this.#update;
    if (update === undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      await this.#bringTo(update);
    } catch (error) {
      this.#waiting.push(...waiting);
      throw error;
    }
    for (const resolve of waiting) resolve();
  }

  async #bringTo(update: TrafficUpdate): Promise<void> {
    if (!this.#adopted) await this.#adopt(update);
    const known = { ...update, replicas: this.#withTrust(update.replicas) };
    let table = this.#wantedTable(known);
    if (await this.#keeper.lookAtPorts(table)) table = this.#wantedTable(known);
    await this.#waker.keep(sleepersOf(table, update.services));
    table = withWakers(table, this.#waker.ports);
    this.#tableIs(table);
    if (table.fronts.length === 0) {
      await this.#keeper.stop();
      this.#accounts = undefined;
      this.#readings = [];
      return;
    }
    // A start fails as a whole when one address is taken.
    if (!(await this.#keeper.bring(table)) && (await this.#keeper.lookAtPorts(table))) this.#loop.nudge();
    this.#keepRamping(table);
    await this.#read(table);
    this.#failure = "";
  }

  /** The balancer did not answer, as one that has just ended: the next pass comes soon, and may start it again. */
  #failed(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#failure)
      this.#options.log.warn({}, `traffic: the balancer does not answer: ${message}`);
    this.#failure = message;
    clearTimeout(this.#nextTimer);
    this.#nextTimer = setTimeout(() => this.#loop.nudge(), AFTER_FAILURE_MS);
  }

  /** Those that an earlier daemon's HAProxy has open are not new to it. */
  async #adopt({ replicas }: TrafficUpdate): Promise<void> {
    if (await this.#keeper.adopt()) {
      const { servers } = await this.#keeper.haproxy.running();
      const open = new Set(servers.flatMap((server) => (server.open ? [server.name] : [])));
      const longAgoMs = this.#options.clock.nowMs() - RAMP_MS;
      const served = replicas.flatMap(({ id }) => (open.has(serverName(id)) ? [id] : []));
      for (const id of served) this.#sinceMs.set(id, longAgoMs);
      this.#trusted = { replicas: new Set(served), untilMs: longAgoMs + RAMP_MS + TRUSTED_FOR_MS };
    }
    this.#adopted = true;
  }

  /** A daemon that has just begun has not asked anybody's probe yet: who served goes on until more is known. */
  #withTrust(replicas: readonly ObservedReplica[]): readonly ObservedReplica[] {
    const trusted = this.#trusted;
    if (trusted === undefined) return replicas;
    for (const { id, state } of replicas) if (state !== "starting") trusted.replicas.delete(id);
    const isOver = trusted.replicas.size === 0 || this.#options.clock.nowMs() >= trusted.untilMs;
    if (isOver) this.#trusted = undefined;
    return isOver
      ? replicas
      : replicas.map((one) => (trusted.replicas.has(one.id) ? { ...one, state: "running" } : one));
  }

  #wantedTable(update: TrafficUpdate): TrafficTable {
    const nowMs = this.#options.clock.nowMs();
    const draining = this.#drains.replicas;
    this.#keepSince(update, draining, nowMs);
    return buildTable({
      ...update,
      draining,
      http: this.#options.http,
      taken: this.#keeper.ports.taken,
      sinceMs: this.#sinceMs,
      owners: this.#table?.owners ?? this.#keeper.memory.owners,
      ...(this.#table === undefined ? {} : { previous: this.#table }),
      nowMs,
    });
  }

  /** Since when each replica takes requests; one that ceases to begins anew when it comes back. */
  #keepSince({ replicas, complete }: TrafficUpdate, draining: ReadonlySet<ReplicaId>, nowMs: number): void {
    const serving = replicas.filter(({ id, state }) => state === "running" && !draining.has(id));
    for (const { id } of serving) if (!this.#sinceMs.has(id)) this.#sinceMs.set(id, nowMs);
    const stays = new Set(serving.map(({ id }) => id));
    const known = new Set(replicas.map(({ id }) => id));
    for (const id of this.#sinceMs.keys()) {
      if (!stays.has(id) && (complete || known.has(id))) this.#sinceMs.delete(id);
    }
  }

  #tableIs(table: TrafficTable): void {
    this.#table = table;
    const held = JSON.stringify(table.held);
    if (held === this.#held) return;
    this.#held = held;
    for (const { service, what, reason } of table.held) {
      this.#options.log.warn({ service }, `traffic: ${what} does not lead to ${service}: ${reason}`);
    }
  }

  #keepRamping({ backends }: TrafficTable): void {
    clearTimeout(this.#nextTimer);
    const isRamping = backends.some(({ servers }) => servers.some(({ weight }) => weight < FULL_WEIGHT));
    if (isRamping) this.#nextTimer = setTimeout(() => this.#loop.nudge(), RAMP_STEP_MS);
  }

  async #read({ backends }: TrafficTable): Promise<void> {
    const { clock } = this.#options;
    if (!this.#keeper.balancer.runs || clock.monotonicMs() - this.#readAtMs < READ_EVERY_MS) return;
    this.#readAtMs = clock.monotonicMs();
    const services = new Map(backends.map(({ name, service }) => [name, service]));
    const replicas = new Map(this.#update?.replicas.map(({ id }) => [serverName(id), id]));
    const snapshot = await this.#keeper.balancer.snapshot(clock.nowMs());
    this.#accounts = account(this.#accounts, snapshot, {
      serviceOf: (backend) => services.get(backend),
      replicaOf: (server) => replicas.get(server),
    });
    this.#readings = readingsOf(this.#accounts);
  }

  /** Those that lead, or led a moment ago, to the replica's service. */
  #backendsOf(replica: ReplicaId): string[] {
    const service = this.#update?.replicas.find(({ id }) => id === replica)?.service;
    return (this.#table?.backends ?? []).flatMap((one) => (one.service === service ? [one.name] : []));
  }
}
