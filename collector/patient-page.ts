import { formatError } from "../core/errors.ts";
import type { Page } from "./page.ts";

const RETRY_MS = 2_000;

export interface PatientPageOptions {
  readonly open: () => Promise<Page>;
  /** It was opened after all. */
  readonly onOpen: () => void;
  readonly note: (line: string) => void;
}

/**
 * A page whose address may be taken for a while, as by the collector of a daemon that was killed a moment ago: it is tried
 * again and again, and meanwhile everything else goes on without it.
 */
export class PatientPage implements AsyncDisposable {
  readonly #options: PatientPageOptions;
  #page: Page | undefined;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;
  #noted: string | undefined;

  constructor(options: PatientPageOptions) {
    this.#options = options;
  }

  get page(): Page | undefined {
    return this.#page;
  }

  async tryNow(): Promise<void> {
    const { open, onOpen, note } = this.#options;
    try {
      this.#page = await open();
    } catch (error) {
      const line = `no metrics are offered for now: ${formatError(error)}`;
      if (line !== this.#noted) note(line);
      this.#noted = line;
      if (!this.#disposed) this.#timer = setTimeout(() => void this.tryNow(), RETRY_MS);
      return;
    }
    if (this.#disposed) await this.#page[Symbol.asyncDispose]();
    else onOpen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    await this.#page?.[Symbol.asyncDispose]();
  }
}
