import type { Row, Store } from "../core/store.ts";
import { DAY_MS } from "../core/units.ts";
import { type AlertBook, EMPTY_BOOK, type EvaluationOutput } from "./evaluate.ts";
import type { GroupState } from "./grouping.ts";
import type { AlertState } from "./state.ts";

const KEPT_MS = 28 * DAY_MS;

/**
 * What is remembered of alerts, in the store: written when something became of one, not each second. What could not be
 * written is written with what comes next.
 */
export class AlertRecords {
  readonly #store: Store;
  #saved: AlertBook;
  /** Over, and not yet in the history. */
  #over: AlertState[] = [];

  constructor(store: Store) {
    this.#store = store;
    this.#saved = this.#read();
  }

  /** As it was written last: where to go on from. */
  get book(): AlertBook {
    return this.#saved;
  }

  /** Takes note of what became of alerts. @returns whether there is anything to write */
  note({ after, transitions }: Pick<EvaluationOutput, "after" | "transitions">): boolean {
    this.#over.push(...transitions.flatMap(({ kind, alert }) => (kind === "resolved" ? [alert] : [])));
    if (this.#over.length > 0 || transitions.length > 0) return true;
    const { alerts, ended, groups } = this.#saved;
    const isAsSaved = (key: string, alert: AlertState) => {
      const saved = alerts.get(key);
      return saved !== undefined && isSame(saved, alert);
    };
    return (
      after.groups.size !== groups.size ||
      after.ended.size !== ended.size ||
      [...after.groups].some(([id, group]) => groups.get(id) !== group) ||
      [...after.alerts].some(([key, alert]) => !isAsSaved(key, alert))
    );
  }

  /** Within the caller's transaction; `saved` follows when that has succeeded. */
  save({ alerts, ended, groups }: AlertBook): void {
    const before = this.#saved;
    this.#saveAlerts(before.alerts, alerts, 0);
    this.#saveAlerts(before.ended, ended, 1);
    for (const [id, group] of groups) {
      if (before.groups.get(id) === group) continue;
      this.#store.run(
        "INSERT OR REPLACE INTO alert_groups (id, body) VALUES (?, ?)",
        ...[id, JSON.stringify(group)],
      );
    }
    for (const id of before.groups.keys()) {
      if (!groups.has(id)) this.#store.run("DELETE FROM alert_groups WHERE id = ?", id);
    }
    for (const alert of this.#over) {
      this.#store.run(
        "INSERT INTO alert_history (resolved_at_ms, body) VALUES (?, ?)",
        ...[alert.resolvedAtMs ?? 0, JSON.stringify(alert)],
      );
    }
  }

  saved(book: AlertBook): void {
    this.#saved = book;
    this.#over = [];
  }

  /** Those that are over, the one that ended last first. @throws FlyballError STORE_UNUSABLE */
  history(limit: number): AlertState[] {
    const sql = "SELECT body FROM alert_history ORDER BY resolved_at_ms DESC, id DESC LIMIT ?";
    return this.#store.all(sql, limit).map(bodyOf<AlertState>);
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  prune(nowMs: number): void {
    this.#store.run("DELETE FROM alert_history WHERE resolved_at_ms < ?", nowMs - KEPT_MS);
  }

  #saveAlerts(
    before: ReadonlyMap<string, AlertState>,
    after: ReadonlyMap<string, AlertState>,
    isOver: 0 | 1,
  ): void {
    for (const [key, alert] of after) {
      const known = before.get(key);
      if (known !== undefined && isSame(known, alert)) continue;
      this.#store.run(
        "INSERT OR REPLACE INTO alerts (key, is_over, body) VALUES (?, ?, ?)",
        ...[key, isOver, JSON.stringify(alert)],
      );
    }
    for (const key of before.keys()) {
      if (after.has(key)) continue;
      this.#store.run("DELETE FROM alerts WHERE key = ? AND is_over = ?", key, isOver);
    }
  }

  #read(): AlertBook {
    const rows = this.#store.all("SELECT key, is_over, body FROM alerts");
    const of = (isOver: number) =>
      new Map(
        rows
          .filter((row) => row["is_over"] === isOver)
          .map((row) => [String(row["key"]), bodyOf<AlertState>(row)] as const),
      );
    const groups = this.#store
      .all("SELECT id, body FROM alert_groups")
      .map((row) => [String(row["id"]), bodyOf<GroupState>(row)] as const);
    return { ...EMPTY_BOOK, alerts: of(0), ended: of(1), groups: new Map(groups) };
  }
}

/** For how long it has been so, and in which words, is not worth a write. */
function isSame(a: AlertState, b: AlertState): boolean {
  return (
    a === b ||
    (a.phase === b.phase &&
      a.firingAtMs === b.firingAtMs &&
      a.pendingAtMs === b.pendingAtMs &&
      a.acknowledged === b.acknowledged &&
      a.missingSinceMs === b.missingSinceMs)
  );
}

function bodyOf<Body>(row: Row): Body {
  return JSON.parse(String(row["body"])) as Body;
}
