import type { Migrations, Store } from "../../core/store.ts";
import type { ServiceId } from "../../core/types.ts";
import { DAY_MS } from "../../core/units.ts";
import { keyOf, type Use } from "./found.ts";

const MIGRATIONS: Migrations = {
  room: "housekeeping",
  steps: [
    `CREATE TABLE uses (
       key TEXT PRIMARY KEY,
       service TEXT NOT NULL,
       seen_at_ms INTEGER NOT NULL
     ) STRICT`,
  ],
};

/** After so long, what nobody has removed is not ours to remove any more. */
const REMEMBERED_MS = 180 * DAY_MS;

/**
 * Which service had which anonymous volume and image, and when it was last seen with it. Once the container is gone
 * nothing on the engine tells that any more.
 */
export class Ledger {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
  }

  note(uses: readonly Use[], nowMs: number): void {
    this.#store.transaction(() => {
      for (const use of uses) {
        this.#store.run(
          `INSERT INTO uses (key, service, seen_at_ms) VALUES (?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET service = excluded.service, seen_at_ms = excluded.seen_at_ms`,
          keyOf(use),
          use.service,
          nowMs,
        );
      }
      this.#store.run("DELETE FROM uses WHERE seen_at_ms < ?", nowMs - REMEMBERED_MS);
    });
  }

  get all(): ReadonlyMap<string, { readonly service: ServiceId; readonly seenAtMs: number }> {
    const rows = this.#store.all("SELECT key, service, seen_at_ms FROM uses");
    return new Map(
      rows.map((row) => [
        String(row["key"]),
        { service: String(row["service"]), seenAtMs: Number(row["seen_at_ms"]) },
      ]),
    );
  }

  forget(key: string): void {
    this.#store.run("DELETE FROM uses WHERE key = ?", key);
  }
}
