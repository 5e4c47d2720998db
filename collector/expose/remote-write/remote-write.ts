import { setImmediate as afterOtherWork, setTimeout as sleep } from "node:timers/promises";
import { SECOND_MS } from "../../../core/units.ts";
import { Receiver } from "./receiver.ts";
import { type WriteRequest, WriteRequests } from "./write-request.ts";

export interface RemoteWriteOptions {
  readonly url: string;
  /** Bearer token. */
  readonly token?: string;
  /** From one page to the next. Default 15 s. */
  readonly intervalMs?: number;
  /** The newest page in Prometheus text, and when its values were read; undefined before there is one. */
  readonly page: () => PageToSend | undefined | Promise<PageToSend | undefined>;
  readonly version: string;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
}

interface PageToSend {
  readonly text: string;
  readonly atMs: number;
}

export interface RemoteWriteFigures {
  readonly sentSamples: number;
  /** Refused by the receiver, or given up because too much was waiting. */
  readonly droppedSamples: number;
  readonly waitingBytes: number;
}

const DEFAULT_INTERVAL_MS = 15 * SECOND_MS;
/** Half an hour of 200 containers, some minutes of 1,000. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const FIRST_BACKOFF_MS = SECOND_MS;
const MAX_BACKOFF_MS = 60 * SECOND_MS;
/** A receiver that asks for more is asked all the same. */
const MAX_RETRY_AFTER_MS = 600 * SECOND_MS;

/**
 * Sends the page to a remote-write receiver again and again, in order, one request at a time. What is not taken
 * waits; when too much waits the oldest is given up, and counted. Sampling is never waited for and never waits.
 */
export class RemoteWrite implements AsyncDisposable {
  readonly #options: RemoteWriteOptions;
  readonly #receiver: Receiver;
  readonly #requests = new WriteRequests();
  readonly #waiting: WriteRequest[] = [];
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #waitingBytes = 0;
  #sentSamples = 0;
  #droppedSamples = 0;
  #newestAtMs = Number.NEGATIVE_INFINITY;
  #encoding = Promise.resolve();
  #isEncoding = false;
  #sending = Promise.resolve();
  #isSending = false;
  #trouble: "refused" | "unreachable" | undefined;

  constructor(options: RemoteWriteOptions) {
    this.#options = options;
    this.#receiver = new Receiver({ ...options, userAgent: `flyball/${options.version}` });
    this.#timer = setInterval(() => void this.push(), options.intervalMs ?? DEFAULT_INTERVAL_MS);
  }

  get figures(): RemoteWriteFigures {
    return {
      sentSamples: this.#sentSamples,
      droppedSamples: this.#droppedSamples,
      waitingBytes: this.#waitingBytes,
    };
  }

  /** Takes the newest page now, without waiting for its turn; resolves when all of it waits to be sent, or is. */
  async push(): Promise<void> {
    if (this.#isEncoding) return;
    this.#isEncoding = true;
    this.#encoding = this.#encode();
    await this.#encoding;
    this.#isEncoding = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await Promise.all([this.#encoding, this.#sending]);
    this.#receiver[Symbol.dispose]();
  }

  async #encode(): Promise<void> {
    const page = await this.#options.page();
    // The same instant twice would be refused.
    if (page === undefined || page.atMs <= this.#newestAtMs) return;
    const { text, atMs } = page;
    this.#newestAtMs = atMs;
    for (const request of this.#requests.of(text, atMs)) {
      this.#enqueue(request);
      await afterOtherWork();
      if (this.#abort.signal.aborted) return;
    }
  }

  #enqueue(request: WriteRequest): void {
    this.#waiting.push(request);
    this.#waitingBytes += request.body.byteLength;
    // The first one may be on its way.
    while (this.#waitingBytes > MAX_WAITING_BYTES && this.#waiting.length > 1) {
      const [oldest] = this.#waiting.splice(this.#isSending ? 1 : 0, 1);
      this.#waitingBytes -= oldest?.body.byteLength ?? 0;
      this.#droppedSamples += oldest?.samples ?? 0;
    }
    if (!this.#isSending) this.#sending = this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#abort;
    this.#isSending = true;
    let wasRefused = false;
    let backoffMs = FIRST_BACKOFF_MS;
    for (let [next] = this.#waiting; next !== undefined && !signal.aborted; [next] = this.#waiting) {
      const delivery = await this.#receiver.post(next.body, signal);
      if (signal.aborted) break;
      if (delivery.outcome === "again") {
        this.#say("unreachable", delivery.reason);
        // Apart, so that many collectors do not come back at the same moment.
        const waitMs = delivery.waitMs ?? backoffMs * (0.75 + Math.random() / 2);
        await sleep(Math.min(waitMs, MAX_RETRY_AFTER_MS), undefined, { signal }).catch(() => {});
        backoffMs = Math.min(2 * backoffMs, MAX_BACKOFF_MS);
        continue;
      }
      backoffMs = FIRST_BACKOFF_MS;
      this.#waiting.shift();
      this.#waitingBytes -= next.body.byteLength;
      if (delivery.outcome === "taken") {
        this.#sentSamples += next.samples;
        if (this.#trouble === "unreachable") this.#say(undefined, "");
      } else {
        this.#droppedSamples += next.samples;
        wasRefused = true;
        this.#say("refused", delivery.reason);
      }
    }
    this.#isSending = false;
    if (!wasRefused && !signal.aborted) this.#say(undefined, "");
  }

  /** Once when it begins, and once when it is over. */
  #say(trouble: "refused" | "unreachable" | undefined, reason: string): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const { log } = this.#options;
    const receiver = this.#receiver.address;
    if (trouble === undefined) {
      log.info({ receiver, droppedSamples: this.#droppedSamples }, "remote write works again");
    } else if (trouble === "refused") {
      log.warn({ receiver, reason }, "remote write is refused; what is refused is dropped");
    } else {
      log.warn({ receiver, reason }, "remote write does not get through; it is tried again");
    }
  }
}
