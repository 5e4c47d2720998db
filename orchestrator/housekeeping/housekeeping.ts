import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import type { ObservedState, Project } from "../../core/types.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { Engine } from "../engine.ts";
import { keyOf } from "./found.ts";
import { judge, type Sweep, type SweepItem } from "./judge.ts";
import { Ledger } from "./ledger.ts";

/** Between two looks at what replicas have, when replicas came or went in between, and when none did. */
const LOOK_AFTER_CHANGE_MS = 5 * SECOND_MS;
const LOOK_INTERVAL_MS = 5 * MINUTE_MS;

export interface HousekeepingOptions {
  readonly engine: Pick<Engine, "uses" | "inventory" | "discard">;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly instanceId: string;
  /** All that are managed, also those that are being removed. */
  readonly projects: () => readonly Project[];
}

/** What became of one item. */
export interface Swept extends SweepItem {
  /** Absent: it is gone. */
  readonly problem?: string;
}

/** Finds what replicas left behind, and removes of it what a person was shown and said yes to. */
export class Housekeeping implements AsyncDisposable {
  readonly #options: HousekeepingOptions;
  readonly #ledger: Ledger;
  readonly #abort = new AbortController();
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #replicas = "";

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.store);
  }

  /** Notes now and then what replicas have, so that it is known whose it was when they are gone. Returns at once. */
  observed({ replicas }: ObservedState): void {
    const sinceMs = this.#options.clock.monotonicMs() - this.#lookedAtMs;
    if (this.#looking !== undefined || sinceMs < LOOK_AFTER_CHANGE_MS) return;
    const ids = replicas.map(({ id }) => id).join(" ");
    if (ids === this.#replicas && sinceMs < LOOK_INTERVAL_MS) return;
    this.#replicas = ids;
    this.#lookedAtMs = this.#options.clock.monotonicMs();
    this.#looking = this.look()
      .catch((error: unknown) => {
        const { log } = this.#options;
        if (!this.#abort.signal.aborted)
          log.warn({ error: messageOf(error) }, "volumes and images were not noted");
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Notes what replicas have at this moment. */
  async look(): Promise<void> {
    const { engine, clock, projects } = this.#options;
    const uses = await engine.uses(projects(), this.#abort.signal);
    this.#abort.signal.throwIfAborted();
    if (uses.length > 0) this.#ledger.note(uses, clock.nowMs());
  }

  /** What could be removed now. Removes nothing. @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED */
  async plan(): Promise<Sweep> {
    return (await this.#judged()).sweep;
  }

  /** Removes those of these keys that could still be removed now, one after the other. */
  async sweep(keys: readonly string[]): Promise<readonly Swept[]> {
    const { engine, log } = this.#options;
    const { sweep, found } = await this.#judged();
    const swept: Swept[] = [];
    for (const item of sweep.items.filter(({ key }) => keys.includes(key))) {
      const one = found.find((candidate) => keyOf(candidate) === item.key);
      if (one === undefined) continue;
      try {
        await engine.discard(one, this.#abort.signal);
        this.#ledger.forget(item.key);
        log.info({ what: item.key, bytes: item.bytes, why: item.why }, "cleared away");
        swept.push(item);
      } catch (error) {
        log.warn({ what: item.key, error: messageOf(error) }, "could not be cleared away");
        swept.push({ ...item, problem: messageOf(error) });
      }
    }
    return swept;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#looking;
  }

  async #judged() {
    const { engine, clock, instanceId, projects } = this.#options;
    await this.look();
    const found = await engine.inventory(this.#abort.signal);
    const all = projects();
    const sweep = judge(found, {
      nowMs: clock.nowMs(),
      instanceId,
      projects: new Set(all.map(({ name }) => name)),
      references: all.flatMap(({ services }) => services.flatMap(({ template }) => template.image ?? [])),
      uses: this.#ledger.all,
    });
    return { sweep, found };
  }
}
