import type { Migrations, Row, Store } from "../core/store.ts";
import type { Decision, Evaluation, ServiceId } from "../core/types.ts";
import { DAY_MS } from "../core/units.ts";

/** A decision as it is kept: with how many evaluations in a row came out the same. */
export interface JournalEntry extends Decision {
  readonly evaluations: number;
  readonly lastAtMs: number;
}

/** The entry that a service is at. */
interface OpenEntry {
  readonly id: number;
  readonly sameness: string;
}

const KEPT_MS = 28 * DAY_MS;

const MIGRATIONS: Migrations = {
  room: "scaler",
  steps: [
    `CREATE TABLE decisions (
       id INTEGER PRIMARY KEY,
       service TEXT NOT NULL,
       first_at_ms INTEGER NOT NULL,
       last_at_ms INTEGER NOT NULL,
       evaluations INTEGER NOT NULL,
       changed INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX decisions_of_service ON decisions (service, first_at_ms);
     CREATE INDEX decisions_by_age ON decisions (last_at_ms)`,
  ],
};

/**
 * Every evaluation, kept in the store. Evaluations in a row that say the same — same counts, same verdicts, same
 * limits — are one entry with a count and the numbers of the newest, so that a quiet service costs a row and not a
 * row a second.
 */
export class DecisionJournal {
  readonly #store: Store;
  readonly #open = new Map<ServiceId, OpenEntry>();

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
  }

  /** All of these, or none. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  record(decisions: readonly Decision[]): void {
    const entries = this.#store.transaction(() => decisions.map((decision) => this.#recordOne(decision)));
    // Only now are they there: what was rolled back has no entry, and its id may be another's soon.
    for (const [index, { service }] of decisions.entries()) {
      const entry = entries[index];
      if (entry !== undefined) this.#open.set(service, entry);
    }
  }

  /** Newest first. */
  list(service: ServiceId, query: { limit: number; changesOnly: boolean }): JournalEntry[] {
    const changed = query.changesOnly ? "AND changed = 1" : "";
    const sql = `SELECT * FROM decisions WHERE service = ? ${changed} ORDER BY id DESC LIMIT ?`;
    return this.#store.all(sql, service, query.limit).map(entryOf);
  }

  /** The evaluation in force at an instant: the newest that had begun by then. */
  at(service: ServiceId, atMs: number): JournalEntry | undefined {
    const sql = "SELECT * FROM decisions WHERE service = ? AND first_at_ms <= ? ORDER BY id DESC LIMIT 1";
    const row = this.#store.get(sql, service, atMs);
    return row === undefined ? undefined : entryOf(row);
  }

  /** Drops what is older than is kept. */
  prune(nowMs: number): void {
    const sql = "DELETE FROM decisions WHERE last_at_ms < ? RETURNING id, service";
    for (const { id, service } of this.#store.all(sql, nowMs - KEPT_MS)) {
      if (this.#open.get(String(service))?.id === id) this.#open.delete(String(service));
    }
  }

  #recordOne(decision: Decision): OpenEntry {
    const sameness = samenessOf(decision);
    const open = this.#open.get(decision.service);
    const body = JSON.stringify(decision);
    if (open?.sameness === sameness && decision.from === decision.to) {
      this.#store.run(
        "UPDATE decisions SET last_at_ms = ?, evaluations = evaluations + 1, body = ? WHERE id = ?",
        decision.atMs,
        body,
        open.id,
      );
      return open;
    }
    const row = this.#store.get(
      `INSERT INTO decisions (service, first_at_ms, last_at_ms, evaluations, changed, body)
       VALUES (?, ?, ?, 1, ?, ?) RETURNING id`,
      decision.service,
      decision.atMs,
      decision.atMs,
      decision.from === decision.to ? 0 : 1,
      body,
    );
    return { id: Number(row?.["id"]), sameness };
  }
}

function samenessOf(evaluation: Evaluation): string {
  const { from, wanted, to, verdicts, limits } = evaluation;
  const asked = verdicts.map((verdict) => `${verdict.metric} ${verdict.wants} ${verdict.replicasServing}`);
  const limited = limits.map((limit) => `${limit.limit} ${limit.to}`);
  return [from, wanted, to, ...asked, ...limited].join("|");
}

function entryOf(row: Row): JournalEntry {
  const decision = JSON.parse(String(row["body"])) as Decision;
  return {
    ...decision,
    atMs: Number(row["first_at_ms"]),
    lastAtMs: Number(row["last_at_ms"]),
    evaluations: Number(row["evaluations"]),
  };
}
