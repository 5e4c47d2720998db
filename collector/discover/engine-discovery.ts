import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import { isFlyballError, messageOf } from "../../core/errors.ts";
import type { ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import { type ContainerEvent, containerEvent } from "./container-events.ts";
import type { Discovered, Discovery, LifecycleCounts } from "./discovered.ts";
import type { EngineEvent, InspectedContainer, ListedContainer } from "./engine-answers.ts";
import type { EngineClient } from "./engine-client.ts";
import { discoveredFrom } from "./from-inspect.ts";
import { jsonLines } from "./json-lines.ts";
import { LookQueue } from "./look-queue.ts";

export interface EngineDiscoveryOptions {
  readonly client: EngineClient;
  readonly clock: Clock;
  /** Something is known that was not; a burst of news is one call. */
  readonly onChange: () => void;
  /** A line for a person, when something begins or ends being wrong. */
  readonly note: (line: string) => void;
  /** From one whole list to the next, beside the events. Default one minute. */
  readonly listIntervalMs?: number;
  /** After a first failure; doubled up to a bound. Default 100 ms. */
  readonly firstRetryMs?: number;
}

const LIST_INTERVAL_MS = 60_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** An engine that is this slow to begin its stream is asked anew. */
const STREAM_DEADLINE_MS = 60_000;
/** News that come together are told together. */
const BURST_MS = 5;
/** More than an engine keeps for those who listen again. */
const REMEMBERED_EVENTS = 1_024;
const LIST_PATH = "/containers/json";
const EVENT_FILTER = encodeURIComponent(JSON.stringify({ type: ["container"] }));

/**
 * Follows the containers of an engine: its events say what to look at, and whole lists find what they missed. While the
 * engine is away, what was known last stays. Nothing is ever taken from a container's name.
 *
 * `connecting` → `listing` → `following` → (stream or list broke: wait) → `connecting` …, until disposed.
 */
export class EngineDiscovery implements Discovery, AsyncDisposable {
  readonly #options: EngineDiscoveryOptions;
  readonly #containers = new Map<ReplicaId, Discovered>();
  readonly #queue = new LookQueue((id) => this.#look(id));
  readonly #stop = new AbortController();
  readonly #counts = { starts: 0, deaths: 0, endedUnseen: 0, oomEvents: 0 };
  readonly #heard = new Set<string>();
  /** The last event's instant, as `since` takes it. */
  #since: string | undefined;
  /** Started while a list was on its way, which need not name them. */
  readonly #startedMeanwhile = new Set<ReplicaId>();
  readonly #noted = new Set<string>();
  /** A look since the last list had no answer: what it was to tell is not known. */
  #missedLook = false;
  #listedAtMs: number | undefined;
  #engineVersion: string | undefined;
  #trouble: string | undefined = "the engine has not answered yet";
  #telling: NodeJS.Timeout | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: EngineDiscoveryOptions) {
    this.#options = options;
  }

  get containers(): ReadonlyMap<ReplicaId, Discovered> {
    return this.#containers;
  }

  get listedAtMs(): number | undefined {
    return this.#listedAtMs;
  }

  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** As the engine said it when it was last connected to. */
  get engineVersion(): string | undefined {
    return this.#engineVersion;
  }

  get counts(): LifecycleCounts {
    return this.#counts;
  }

  start(): void {
    this.#following = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#queue.clear();
    clearTimeout(this.#telling);
    await this.#following;
    await this.#queue.whenIdle();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    const first = this.#options.firstRetryMs ?? FIRST_RETRY_MS;
    let retryMs = first;
    while (!signal.aborted) {
      const listedBefore = this.#listedAtMs;
      try {
        await this.#connection();
      } catch (error) {
        if (signal.aborted) return;
        this.#troubled(messageOf(error));
      }
      // One that listed was a good connection: what comes next is a new story.
      retryMs = this.#listedAtMs === listedBefore ? Math.min(retryMs * 2, LAST_RETRY_MS) : first;
      await sleep(retryMs, undefined, { signal }).catch(() => {});
    }
  }

  /** One stream of events and the lists beside it. Always throws in the end. */
  async #connection(): Promise<void> {
    const attempt = new AbortController();
    const end = (): void => attempt.abort();
    this.#stop.signal.addEventListener("abort", end, { once: true });
    try {
      const events = await this.#openEvents(attempt);
      const { client } = this.#options;
      this.#engineVersion = (await client.get<{ Version?: string }>("/version", attempt.signal))?.Version;
      await Promise.race([this.#hear(events), this.#list(attempt.signal)]);
    } finally {
      this.#stop.signal.removeEventListener("abort", end);
      attempt.abort();
    }
  }

  async #openEvents(attempt: AbortController): Promise<AsyncIterable<Buffer>> {
    const slow = setTimeout(
      () =>
        attempt.abort(
          new Error(`the engine's events did not begin within ${STREAM_DEADLINE_MS / SECOND_MS} s`),
        ),
      STREAM_DEADLINE_MS,
    );
    try {
      const since = this.#since === undefined ? "" : `&since=${this.#since}`;
      const stream = await this.#options.client.open(
        `/events?filters=${EVENT_FILTER}${since}`,
        attempt.signal,
      );
      if (stream === undefined) throw new Error("the engine has no events");
      // By the engine's own clock: from here on nothing is missed, though no event may have come before the stream breaks.
      const beganAtMs = Date.parse(stream.headers.date ?? "");
      if (!Number.isNaN(beganAtMs)) this.#since ??= String(Math.floor(beganAtMs / SECOND_MS));
      return stream;
    } finally {
      clearTimeout(slow);
    }
  }

  async #hear(stream: AsyncIterable<Buffer>): Promise<never> {
    for await (const event of jsonLines<EngineEvent>(stream)) {
      if (this.#isNews(event)) this.#take(containerEvent(event));
    }
    throw new Error("the engine ended its events");
  }

  /** What happened while nobody listened is told again from the last instant on, that instant's own events among it. */
  #isNews({ timeNano, Action, Actor }: EngineEvent): boolean {
    if (timeNano === undefined) return true;
    const key = `${timeNano} ${Action} ${Actor?.ID}`;
    if (this.#heard.has(key)) return false;
    this.#heard.add(key);
    const [oldest] = this.#heard;
    if (this.#heard.size > REMEMBERED_EVENTS && oldest !== undefined) this.#heard.delete(oldest);
    // A number holds nanoseconds since 1970 only to some hundreds.
    const microseconds = Math.floor(timeNano / 1_000) - 1;
    this.#since = `${Math.floor(microseconds / 1e6)}.${String(microseconds % 1e6).padStart(6, "0")}`;
    return true;
  }

  #take(event: ContainerEvent | undefined): void {
    if (event === undefined) return;
    const known = this.#containers.get(event.id);
    switch (event.kind) {
      case "started":
        this.#counts.starts += 1;
        this.#startedMeanwhile.add(event.id);
        this.#queue.add(event.id, { urgent: true });
        return;
      case "ended":
        this.#counts.deaths += 1;
        if (known === undefined) this.#counts.endedUnseen += 1;
        this.#remove(event.id);
        this.#queue.again(event.id);
        return;
      case "oom":
        this.#counts.oomEvents += 1;
        return;
      case "health":
        if (known !== undefined) this.#put({ ...known, health: event.health });
        this.#queue.again(event.id);
        return;
      case "changed":
        if (known !== undefined) this.#queue.add(event.id);
    }
  }

  /** Lists again and again. */
  async #list(signal: AbortSignal): Promise<never> {
    const { client, clock, listIntervalMs = LIST_INTERVAL_MS } = this.#options;
    // What happened while nobody listened may have changed anything.
    for (let lookAtAll = true; ; lookAtAll = false) {
      this.#startedMeanwhile.clear();
      this.#missedLook = false;
      const askedAtMs = clock.nowMs();
      const listed = await client.get<ListedContainer[]>(LIST_PATH, signal);
      if (!Array.isArray(listed)) throw new Error("the engine's list of containers is none");
      const ids = new Set(listed.map(({ Id }) => Id));
      for (const id of [...this.#containers.keys()]) {
        if (!ids.has(id) && !this.#startedMeanwhile.has(id)) this.#remove(id);
      }
      for (const id of ids) if (lookAtAll || !this.#containers.has(id)) this.#queue.add(id);
      await this.#queue.whenIdle();
      signal.throwIfAborted();
      if (this.#missedLook) throw new Error(this.#trouble ?? "a container could not be looked at");
      if (this.#trouble !== undefined && this.#listedAtMs !== undefined) {
        this.#options.note("the engine answers again");
      }
      this.#trouble = undefined;
      this.#listedAtMs = askedAtMs;
      await sleep(listIntervalMs, undefined, { signal });
    }
  }

  async #look(id: ReplicaId): Promise<void> {
    try {
      const path = `/containers/${encodeURIComponent(id)}/json`;
      const inspected = await this.#options.client.get<InspectedContainer>(path, this.#stop.signal);
      const found = inspected === undefined ? undefined : discoveredFrom(inspected);
      if (found === undefined) this.#remove(id);
      else this.#put(found);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // Refused for one container: the others are none the worse, and the next list asks again.
      if (isFlyballError(error) && error.code === "ENGINE_REFUSED") {
        this.#noteOnce(`container ${id.slice(0, 12)} cannot be looked at: ${messageOf(error)}`);
        return;
      }
      this.#missedLook = true;
      this.#troubled(messageOf(error));
    }
  }

  #put(found: Discovered): void {
    this.#containers.set(found.id, found);
    this.#tell();
  }

  #remove(id: ReplicaId): void {
    if (this.#containers.delete(id)) this.#tell();
  }

  #troubled(trouble: string): void {
    if (this.#trouble !== trouble) {
      const { size } = this.#containers;
      this.#options.note(size === 0 ? trouble : `${trouble}; ${size} containers stay as they were known`);
    }
    this.#trouble = trouble;
  }

  #noteOnce(line: string): void {
    if (this.#noted.size > REMEMBERED_EVENTS) this.#noted.clear();
    if (this.#noted.has(line)) return;
    this.#noted.add(line);
    this.#options.note(line);
  }

  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#options.onChange();
    }, BURST_MS);
  }
}
