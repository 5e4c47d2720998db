import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { SECOND_MS } from "../core/units.ts";
import { nextAttemptAtMs } from "./backoff.ts";
import { type Channel, DeliveryFailed } from "./channels/channel.ts";
import type { Outbox } from "./outbox.ts";
import type { Delivery } from "./queue.ts";

/** What has not been said by then is tried again. */
const PATIENCE_MS = 30 * SECOND_MS;
const LONGEST_SLEEP_MS = 60 * SECOND_MS;

export interface CourierOptions {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
  /** Chance, from 0 to 1. */
  readonly jitter: () => number;
  /** What became of a delivery is to be written. */
  readonly onChange: () => void;
}

/** Delivers what waits for one channel, one at a time. Another channel has a courier of its own, and waits for nobody. */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions;
  readonly #abort = new AbortController();
  readonly #finished: Promise<void>;
  #wake: (() => void) | undefined;
  #isNudged = false;
  #isFailing = false;

  constructor(options: CourierOptions) {
    this.#options = options;
    this.#finished = this.#run();
  }

  /** Something waits that did not before. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake?.();
  }

  /** What is being sent is broken off, and sent again after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    this.#wake?.();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { channel, outbox, clock } = this.#options;
    while (!this.#abort.signal.aborted) {
      this.#isNudged = false;
      const delivery = outbox.next(channel.name);
      const waitMs = delivery === undefined ? LONGEST_SLEEP_MS : delivery.nextAtMs - clock.nowMs();
      if (delivery === undefined || waitMs > 0) await this.#sleep(Math.min(waitMs, LONGEST_SLEEP_MS));
      else {
        await this.#deliver(delivery);
        await this.#sleep(channel.paceMs, true);
      }
    }
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { channel, outbox, clock, jitter, onChange } = this.#options;
    const said = outbox.take(channel.name, delivery);
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(PATIENCE_MS)]);
    try {
      await channel.send(said, signal);
      outbox.sent(channel.name, delivery, said, clock.nowMs());
      this.#delivers();
    } catch (error) {
      // Not an attempt that failed: the daemon ends.
      if (this.#abort.signal.aborted) return;
      const failure = error instanceof DeliveryFailed ? error : new DeliveryFailed(messageOf(error));
      const { isPermanent, retryAfterMs } = failure;
      const nowMs = clock.nowMs();
      const { createdAtMs } = delivery;
      const attempts = delivery.attempts + 1;
      const again = { nowMs, attempts, createdAtMs, jitter: jitter(), ...(retryAfterMs && { retryAfterMs }) };
      const nextAtMs = isPermanent ? undefined : nextAttemptAtMs(again);
      outbox.failed(channel.name, delivery, failure.message, nowMs, nextAtMs);
      this.#fails(failure.message, nextAtMs === undefined);
    }
    onChange();
  }

  #delivers(): void {
    const { channel, log } = this.#options;
    if (this.#isFailing) log.info({ channel: channel.name }, "notifications are delivered again");
    this.#isFailing = false;
  }

  #fails(trouble: string, isGivenUp: boolean): void {
    const { channel, log } = this.#options;
    const about = { channel: channel.name, trouble };
    if (isGivenUp) log.error(about, "a notification cannot be delivered, and is given up");
    else if (!this.#isFailing) log.warn(about, "a notification could not be delivered; it is tried again");
    this.#isFailing = true;
  }

  /** @param patient whatever comes in between */
  async #sleep(ms: number, patient = false): Promise<void> {
    if (this.#abort.signal.aborted || (!patient && this.#isNudged)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, ms));
      this.#wake = () => {
        if (patient && !this.#abort.signal.aborted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
