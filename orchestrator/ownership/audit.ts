import type { Migrations, Row, Store } from "../../core/store.ts";
import type { ServiceId } from "../../core/types.ts";
import { DAY_MS } from "../../core/units.ts";

const MIGRATIONS: Migrations = {
  room: "audit",
  steps: [
    `CREATE TABLE audit (
       id INTEGER PRIMARY KEY,
       at_ms INTEGER NOT NULL,
       project TEXT NOT NULL,
       service TEXT,
       who TEXT NOT NULL,
       what TEXT NOT NULL,
       from_count INTEGER,
       to_count INTEGER,
       policy TEXT,
       sentence TEXT NOT NULL
     ) STRICT;
     CREATE INDEX audit_by_time ON audit (at_ms)`,
  ],
};
const KEPT_MS = 28 * DAY_MS;
const MOST_LINES = 10_000;

/** One change of a service's count, or of a whole project, that no rule has made. */
export interface AuditLine {
  readonly atMs: number;
  readonly project: string;
  /** Absent: it is about the project as a whole. */
  readonly service?: ServiceId;
  /** `api`, `docker compose`, `somebody`. */
  readonly who: string;
  /** `scale`: asked for by hand · `external`: done past Flyball · `down`, `stopped`: nothing of it runs any more. */
  readonly what: "scale" | "external" | "down" | "stopped";
  readonly from?: number;
  readonly to?: number;
  readonly policy?: string;
  readonly sentence: string;
}

/** Who has changed counts by hand or from outside, kept for four weeks. */
export class Audit {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
  }

  /** May be within a transaction. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  record({ atMs, project, service, who, what, from, to, policy, sentence }: AuditLine): void {
    this.#store.run(
      `INSERT INTO audit (at_ms, project, service, who, what, from_count, to_count, policy, sentence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[atMs, project, service ?? null, who, what, from ?? null, to ?? null, policy ?? null, sentence],
    );
    this.#store.run(
      "DELETE FROM audit WHERE at_ms < ? OR id <= (SELECT max(id) FROM audit) - ?",
      atMs - KEPT_MS,
      MOST_LINES,
    );
  }

  /** Newest first. */
  list(limit: number, nowMs: number): readonly AuditLine[] {
    return this.#store
      .all("SELECT * FROM audit WHERE at_ms >= ? ORDER BY id DESC LIMIT ?", nowMs - KEPT_MS, limit)
      .map(lineOf);
  }
}

function lineOf(row: Row): AuditLine {
  const { service, from_count: from, to_count: to, policy } = row;
  return {
    atMs: Number(row["at_ms"]),
    project: String(row["project"]),
    ...(service === null ? {} : { service: String(service) }),
    who: String(row["who"]),
    what: String(row["what"]) as AuditLine["what"],
    ...(from === null ? {} : { from: Number(from) }),
    ...(to === null ? {} : { to: Number(to) }),
    ...(policy === null ? {} : { policy: String(policy) }),
    sentence: String(row["sentence"]),
  };
}
