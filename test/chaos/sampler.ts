import { setTimeout as sleep } from "node:timers/promises";
import type { FlyballHouse } from "../integration/flyball-daemon.ts";

const PAUSE_MS = 60;

/** Looks again and again, past Flyball, how many of `web` run, until disposed. */
export class Sampler implements AsyncDisposable {
  readonly #house: FlyballHouse;
  readonly #stopped = new AbortController();
  readonly #work: Promise<unknown>;
  #fewest = Number.POSITIVE_INFINITY;

  constructor(house: FlyballHouse) {
    this.#house = house;
    // Kept, so that it is told to whoever asks for the result, and to nobody else.
    this.#work = this.#look().catch((error: unknown) => error);
  }

  /** How many there were at the fewest. @throws what looking threw */
  async stop(): Promise<number> {
    this.#stopped.abort();
    const error = await this.#work;
    if (error !== undefined) throw error;
    return this.#fewest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#work;
  }

  async #look(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const running = (await this.#house.seen("web")).filter((replica) => replica.running).length;
      this.#fewest = Math.min(this.#fewest, running);
      await sleep(PAUSE_MS);
    }
  }
}
