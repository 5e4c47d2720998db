import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Store } from "../../core/store.ts";
import type { Write } from "../../core/wire-access.ts";
import { ACCESS_TABLES } from "./tables.ts";

const MOST_KEPT = 10_000;
/** A path may be as long as a request line. */
const LONGEST_PATH = 300;

/** Who asked for what that changes anything, and how it was answered: the last 10,000 requests. */
export class Writes {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    store.migrate(ACCESS_TABLES);
  }

  /** Never throws: what was done is done, whether it can be written down or not. */
  add(write: Omit<Write, "atMs">): void {
    const { by, method, path, status } = write;
    this.#log.info({ by, method, path, status }, "a request was answered that was to change something");
    try {
      this.#store.run(
        "INSERT INTO writes (at_ms, by, method, path, status) VALUES (?, ?, ?, ?, ?)",
        ...[this.#clock.nowMs(), by, method, path.slice(0, LONGEST_PATH), status],
      );
      this.#store.run("DELETE FROM writes WHERE id <= (SELECT max(id) FROM writes) - ?", MOST_KEPT);
    } catch (error) {
      this.#log.error({ err: error }, "a request could not be written to the audit log");
    }
  }

  /** Newest first. */
  list(limit: number): readonly Write[] {
    return this.#store.all("SELECT * FROM writes ORDER BY id DESC LIMIT ?", limit).map((row) => ({
      atMs: Number(row["at_ms"]),
      by: String(row["by"]),
      method: String(row["method"]),
      path: String(row["path"]),
      status: Number(row["status"]),
    }));
  }
}
