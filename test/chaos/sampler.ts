import { setTimeout as sleep } from "node:timers/promises";
import type { FlyballHouse } from "../integration/flyball-daemon.ts";

const PAUSE_MS = 60;

/** Looks again and again, past Flyball, how many of `web` run. */
export class Sampler {
  readonly #house: FlyballHouse;
  readonly #stopped = new AbortController();
  readonly #work: Promise<void>;
  #fewest = Number.POSITIVE_INFINITY;
  #looks = 0;

  constructor(house: FlyballHouse) {
    this.#house = house;
    this.#work = this.#look();
  }

  /** How many there were at the fewest, and how often was looked. */
  async stop(): Promise<{ readonly fewest: number; readonly looks: number }> {
    this.#stopped.abort();
    await this.#work;
    return { fewest: this.#fewest, looks: this.#looks };
  }

  async #look(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const running = (await this.#house.seen("web")).filter((replica) => replica.running).length;
      this.#fewest = Math.min(this.#fewest, running);
      this.#looks += 1;
      await sleep(PAUSE_MS);
    }
  }
}
