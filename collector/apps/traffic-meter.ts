import { SECOND_MS } from "../../core/units.ts";
import { type RequestReading, remembering, type Traffic, trafficBetween } from "./traffic.ts";

/** What is older says nothing about now, and neither does a mean over more. */
const STALE_AFTER_MS = 5 * SECOND_MS;

/** The traffic of one replica, from one reading of its counters to the next. */
export class TrafficMeter {
  #before: RequestReading | undefined;
  #traffic: Traffic | undefined;

  take(now: RequestReading): void {
    this.#traffic = trafficBetween(this.#before, now, STALE_AFTER_MS);
    this.#before = remembering(this.#before, now);
  }

  /** Undefined when it is not known, or is not known any more. */
  at(nowMonotonicMs: number): Traffic | undefined {
    const ageMs = nowMonotonicMs - (this.#before?.atMonotonicMs ?? -Infinity);
    return ageMs <= STALE_AFTER_MS ? this.#traffic : undefined;
  }
}
