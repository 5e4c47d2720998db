import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

/** Why the engine cannot be seen, said once and not at every look. */
export class EngineTrouble {
  readonly #log: Log;
  #text: string | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Absent when it can be seen. */
  get text(): string | undefined {
    return this.#text;
  }

  failed(error: unknown): void {
    const text = messageOf(error);
    if (this.#text !== text) this.#log.error({ err: error }, "the engine cannot be observed");
    this.#text = text;
  }

  answered(): void {
    if (this.#text !== undefined) this.#log.info("the engine answers again");
    this.#text = undefined;
  }
}
