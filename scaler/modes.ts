import type { Store } from "../core/store.ts";
import type { ScalingPolicy, ServiceId } from "../core/types.ts";
import type { Mode } from "./record.ts";
import { TABLES } from "./tables.ts";

/** What a person asks for. `resumed` ends a pause and leaves the rest as it was. */
export type ModeRequest = Mode | "resumed";

interface State {
  readonly approved: boolean;
  readonly paused: boolean;
  /** When the pause ends by itself; absent: it does not. */
  readonly pausedUntilMs?: number;
  /** What was approved. */
  readonly rules: string;
}

/**
 * Whether each service is scaled or only watched, kept in the store. Approved are the rules that a service is scaled
 * by: their metrics and thresholds. Other bounds, steps or windows need no new approval: they only say how far and how
 * fast those rules may go, and a person who sets them means them. Other rules have never scaled the service, so with
 * `firstRun: shadow` they begin in shadow again.
 */
export class Modes {
  readonly #store: Store;
  readonly #firstRun: "live" | "shadow";
  readonly #states = new Map<ServiceId, State>();

  constructor(store: Store, firstRun: "live" | "shadow") {
    this.#store = store;
    this.#firstRun = firstRun;
    store.migrate(TABLES);
    for (const { service, approved, paused, rules, paused_until_ms: until } of store.all(
      "SELECT * FROM autoscale_modes",
    )) {
      const state = { approved: approved === 1, paused: paused === 1, rules: String(rules) };
      this.#states.set(String(service), until === null ? state : { ...state, pausedUntilMs: Number(until) });
    }
  }

  /** To be called before anything is decided by these policies. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  admit(services: readonly { readonly id: ServiceId; readonly rules: string }[]): void {
    const changed = services.filter(({ id, rules }) => this.#states.get(id)?.rules !== rules);
    if (changed.length === 0) return;
    const approved = this.#firstRun === "live";
    const states = changed.map(({ id, rules }): [ServiceId, State] => {
      return [id, { paused: false, ...this.#states.get(id), approved, rules }];
    });
    this.#keep(states);
  }

  /** Of a service that was admitted. */
  of(service: ServiceId, nowMs: number): Mode {
    const state = this.#states.get(service);
    const isOver = state?.pausedUntilMs !== undefined && nowMs >= state.pausedUntilMs;
    if (state?.paused === true && !isOver) return "paused";
    return state?.approved === false ? "shadow" : "live";
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  set(service: ServiceId, rules: string, request: ModeRequest, nowMs: number): Mode {
    const approved = this.#states.get(service)?.approved ?? this.#firstRun === "live";
    const asked = {
      live: { approved: true, paused: false },
      shadow: { approved: false, paused: false },
      paused: { approved, paused: true },
      resumed: { approved, paused: false },
    }[request];
    this.#keep([[service, { ...asked, rules }]]);
    return this.of(service, nowMs);
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  pauseUntil(service: ServiceId, rules: string, untilMs: number): void {
    const approved = this.#states.get(service)?.approved ?? this.#firstRun === "live";
    this.#keep([[service, { approved, paused: true, pausedUntilMs: untilMs, rules }]]);
  }

  #keep(states: readonly [ServiceId, State][]): void {
    this.#store.transaction(() => {
      for (const [service, { approved, paused, rules, pausedUntilMs = null }] of states) {
        this.#store.run(
          "INSERT OR REPLACE INTO autoscale_modes (service, approved, paused, rules, paused_until_ms) VALUES (?, ?, ?, ?, ?)",
          ...[service, approved ? 1 : 0, paused ? 1 : 0, rules, pausedUntilMs],
        );
      }
    });
    for (const [service, state] of states) this.#states.set(service, state);
  }
}

/** What a person approves, in one text. What levels are shares of is left out: more memory is no other rule. */
export function rulesText({ kind, rules }: ScalingPolicy): string {
  const approved = rules.map(({ metric, max, min, expression }) => ({ metric, max, min, expression }));
  return JSON.stringify({ kind, rules: approved });
}
