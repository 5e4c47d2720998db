import { Agent, type ClientRequest, request } from "node:http";

/** A replica to send requests to. */
export interface LoadTarget {
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

export interface LoadCounts {
  /** That came to an end: answered 200, or failed. */
  readonly requests: number;
  /** Answered otherwise than 200, refused, reset, cut short, or not answered in time. */
  readonly failed: number;
  /** Sent a second time, because the connection had been closed while it was idle. */
  readonly retried: number;
  readonly inFlight: number;
  /** Arrived, and not sent yet: every replica has as many requests as it may have. */
  readonly waiting: number;
}

export interface LoadOutcome {
  readonly replica: string | undefined;
  readonly endedAtMs: number;
  /** From the arrival, the time it waited to be sent included. */
  readonly latencyMs: number;
  /** Absent: answered 200. */
  readonly failure?: string;
}

interface Arrival {
  readonly atMs: number;
  readonly retries: number;
}

interface Replica {
  readonly target: LoadTarget;
  readonly agent: Agent;
  inFlight: number;
  /** No longer named: what it has in flight may end, nothing new is sent. */
  dropped: boolean;
}

/** As a balancer's connection limit per server: what is above waits, for whichever replica is free first. */
const IN_FLIGHT_PER_REPLICA = 8;
const TICK_MS = 5;
/** Saturation should show as latency; only what is really lost should fail. */
const TIMEOUT_MS = 15_000;
/**
 * A reset that comes back at once met a connection that the server had already closed. One that takes longer may
 * have met a request in the making, and is counted as the failure it is.
 */
const CLOSED_WHILE_IDLE_MS = 20;

/**
 * Real HTTP requests at a given rate, whether or not they are answered (open loop), spread round-robin over the
 * replicas named last, over connections that are kept alive.
 */
export class LoadGenerator {
  readonly #path: string;
  readonly #onOutcome: (outcome: LoadOutcome) => void;
  readonly #replicas = new Map<string, Replica>();
  readonly #waiting: Arrival[] = [];
  readonly #inFlight = new Set<ClientRequest>();
  #ratePerSecond = 0;
  #nextArrivalMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #requests = 0;
  #failed = 0;
  #retried = 0;

  constructor(path: string, onOutcome: (outcome: LoadOutcome) => void) {
    this.#path = path;
    this.#onOutcome = onOutcome;
  }

  get counts(): LoadCounts {
    return {
      requests: this.#requests,
      failed: this.#failed,
      retried: this.#retried,
      inFlight: this.#inFlight.size,
      waiting: this.#waiting.length,
    };
  }

  /** From now on this many requests arrive per second, evenly. */
  setRate(perSecond: number): void {
    this.#ratePerSecond = perSecond;
    this.#nextArrivalMs = Date.now();
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Sends to these and no others from now on. */
  setTargets(targets: readonly LoadTarget[]): void {
    const named = new Map(targets.map((target) => [keyOf(target), target]));
    for (const [key, replica] of this.#replicas) {
      if (named.has(key)) continue;
      this.#replicas.delete(key);
      replica.dropped = true;
      closeWhenIdle(replica);
    }
    for (const [key, target] of named) {
      if (this.#replicas.has(key)) continue;
      const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT_PER_REPLICA });
      this.#replicas.set(key, { target, agent, inFlight: 0, dropped: false });
    }
    this.#dispatch();
  }

  /** No further arrivals; resolves when everything that arrived has ended. */
  async finish(): Promise<void> {
    this.#ratePerSecond = 0;
    while (this.#waiting.length + this.#inFlight.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    this.stop();
  }

  /** Ends at once; what is in flight is given up and not counted. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#ratePerSecond = 0;
    this.#waiting.length = 0;
    for (const pending of [...this.#inFlight]) pending.destroy();
    this.#inFlight.clear();
    for (const { agent } of this.#replicas.values()) agent.destroy();
    this.#replicas.clear();
  }

  #tick(): void {
    const nowMs = Date.now();
    while (this.#ratePerSecond > 0 && this.#nextArrivalMs <= nowMs) {
      this.#waiting.push({ atMs: this.#nextArrivalMs, retries: 0 });
      this.#nextArrivalMs += 1_000 / this.#ratePerSecond;
    }
    while (this.#waiting[0] !== undefined && nowMs - this.#waiting[0].atMs > TIMEOUT_MS) {
      const expired = this.#waiting.shift();
      if (expired !== undefined) this.#end(expired, undefined, "no replica took it in time");
    }
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const replica = this.#next();
      if (replica === undefined) return;
      const arrival = this.#waiting.shift();
      if (arrival !== undefined) this.#send(arrival, replica);
    }
  }

  /** The next in turn that has room. */
  #next(): Replica | undefined {
    const replicas = [...this.#replicas.values()];
    for (let i = 0; i < replicas.length; i += 1) {
      const replica = replicas[(this.#turn + i) % replicas.length];
      if (replica === undefined || replica.inFlight >= IN_FLIGHT_PER_REPLICA) continue;
      this.#turn = (this.#turn + i + 1) % replicas.length;
      return replica;
    }
    return undefined;
  }

  #send(arrival: Arrival, replica: Replica): void {
    const { host, port } = replica.target;
    const sentAtMs = Date.now();
    const call = request({ host, port, path: this.#path, agent: replica.agent, timeout: TIMEOUT_MS });
    this.#inFlight.add(call);
    replica.inFlight += 1;

    let answered = false;
    const settle = (failure: string | undefined, isClosedWhileIdle = false) => {
      // After `stop` nothing counts, and a call may report both an error and an aborted answer.
      if (!this.#inFlight.delete(call)) return;
      replica.inFlight -= 1;
      closeWhenIdle(replica);
      if (isClosedWhileIdle && arrival.retries === 0) {
        this.#retried += 1;
        this.#waiting.unshift({ ...arrival, retries: 1 });
      } else this.#end(arrival, replica.target.id, failure);
      this.#dispatch();
    };

    call.on("response", (response) => {
      answered = true;
      response.resume();
      response.on("end", () => {
        if (!response.complete) settle("answer cut short");
        else settle(response.statusCode === 200 ? undefined : `answered ${response.statusCode}`);
      });
      response.on("error", (error) => settle(error.message));
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on("error", (error) => {
      const isReset = "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
      const wasFast = Date.now() - sentAtMs <= CLOSED_WHILE_IDLE_MS;
      settle(error.message, isReset && call.reusedSocket && !answered && wasFast);
    });
    call.end();
  }

  #end(arrival: Arrival, replica: string | undefined, failure: string | undefined): void {
    const endedAtMs = Date.now();
    this.#requests += 1;
    if (failure !== undefined) this.#failed += 1;
    this.#onOutcome({
      replica,
      endedAtMs,
      latencyMs: Math.round(endedAtMs - arrival.atMs),
      ...(failure === undefined ? {} : { failure }),
    });
  }
}

function keyOf({ id, host, port }: LoadTarget): string {
  return `${id} ${host}:${port}`;
}

function closeWhenIdle(replica: Replica): void {
  if (replica.dropped && replica.inFlight === 0) replica.agent.destroy();
}
