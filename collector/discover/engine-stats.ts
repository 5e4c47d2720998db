import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { ReplicaId } from "../../core/types.ts";
import { GoneError } from "../read/kept-file.ts";
import { type Details, Measurement, NO_DETAILS } from "../read/measurement.ts";
import type { Reader } from "../read/reader.ts";
import type { EngineClient } from "./engine-client.ts";
import { jsonLines } from "./json-lines.ts";
import { measurementOfStats, type StatsAnswer } from "./stats-answer.ts";

/** With a thousand streams the engine comes round every three seconds. */
const STALE_AFTER_MS = 10_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/**
 * Reads a container from the engine's own stats: where its files are on another machine, or may not be read. It costs the
 * engine fifty times as much, and comes at the engine's pace, about once a second.
 */
export class StatsReader implements Reader {
  readonly #client: EngineClient;
  readonly #clock: Clock;
  readonly #id: ReplicaId;
  readonly #stop = new AbortController();
  #latest: Measurement | undefined;
  #gone = false;
  #trouble = "the engine's stats have not come yet";
  #details: Details = NO_DETAILS;

  constructor(client: EngineClient, clock: Clock, id: ReplicaId) {
    this.#client = client;
    this.#clock = clock;
    this.#id = id;
    void this.#follow();
  }

  read(): Measurement {
    if (this.#gone) throw new GoneError(`container ${this.#id} is gone`);
    const { monotonicMs } = this.#clock;
    const takenAtMs = this.#latest?.takenAtMonotonicMs;
    if (takenAtMs === undefined || monotonicMs() - takenAtMs > STALE_AFTER_MS) {
      throw new Error(this.#trouble);
    }
    const details = { ...this.#latest?.details, ...this.#details };
    return Object.assign(new Measurement(), this.#latest, { details });
  }

  note(details: Details): void {
    this.#details = { ...this.#details, ...details };
  }

  /** They are the engine's machine's. */
  pids(): number[] {
    return [];
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        const stream = await this.#client.open(`/containers/${this.#id}/stats?stream=true`, signal);
        if (stream === undefined) {
          this.#gone = true;
          return;
        }
        for await (const answer of jsonLines<StatsAnswer>(stream)) {
          const measurement = measurementOfStats(answer);
          if (measurement === undefined) continue;
          measurement.takenAtMonotonicMs = this.#clock.monotonicMs();
          this.#latest = measurement;
          retryMs = FIRST_RETRY_MS;
        }
      } catch (error) {
        this.#trouble = messageOf(error);
      }
      await sleep(retryMs, undefined, { signal }).catch(() => {});
      retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
    }
  }
}
