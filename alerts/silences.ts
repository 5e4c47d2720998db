import { randomUUID } from "node:crypto";
import { FlyballError } from "../core/errors.ts";
import type { Matcher } from "../core/matcher.ts";
import type { Store } from "../core/store.ts";
import { DAY_MS } from "../core/units.ts";
import type { Silence } from "./suppression.ts";

const KEPT_MS = 28 * DAY_MS;
const MOST_SILENCES = 1_000;

export interface SilenceRequest {
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly author: string;
  readonly comment: string;
}

/** Who does not want to be told of what, and until when; in the store. */
export class Silences {
  readonly #store: Store;
  #all: readonly Silence[];

  constructor(store: Store) {
    this.#store = store;
    this.#all = store
      .all("SELECT body FROM alert_silences ORDER BY ends_at_ms")
      .map((row) => JSON.parse(String(row["body"])) as Silence);
  }

  /** Also those that are over, for as long as they are kept. */
  get all(): readonly Silence[] {
    return this.#all;
  }

  /** @throws FlyballError OUT_OF_BOUNDS, STORE_FULL, STORE_UNUSABLE */
  add(request: SilenceRequest, nowMs: number): Silence {
    if (this.#all.filter(({ endsAtMs }) => endsAtMs > nowMs).length >= MOST_SILENCES) {
      throw new FlyballError("OUT_OF_BOUNDS", `expected ${MOST_SILENCES} silences at most: let go of some`);
    }
    const silence = { id: randomUUID(), createdAtMs: nowMs, ...request };
    this.#write(silence);
    return silence;
  }

  /** Ends it now; that it was there is kept. @throws FlyballError NOT_FOUND, STORE_FULL, STORE_UNUSABLE */
  end(id: string, nowMs: number): Silence {
    const known = this.#all.find((silence) => silence.id === id);
    if (known === undefined) throw new FlyballError("NOT_FOUND", `there is no silence ${id}`);
    const silence = { ...known, endsAtMs: Math.min(known.endsAtMs, nowMs) };
    this.#write(silence);
    return silence;
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  prune(nowMs: number): void {
    this.#store.run("DELETE FROM alert_silences WHERE ends_at_ms < ?", nowMs - KEPT_MS);
    this.#all = this.#all.filter(({ endsAtMs }) => endsAtMs >= nowMs - KEPT_MS);
  }

  #write(silence: Silence): void {
    this.#store.run(
      "INSERT OR REPLACE INTO alert_silences (id, ends_at_ms, body) VALUES (?, ?, ?)",
      ...[silence.id, Math.round(silence.endsAtMs), JSON.stringify(silence)],
    );
    this.#all = [...this.#all.filter(({ id }) => id !== silence.id), silence];
  }
}
