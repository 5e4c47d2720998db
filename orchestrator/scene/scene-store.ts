import type { Migrations, Store } from "../../core/store.ts";
import type { ServiceId } from "../../core/types.ts";
import { DAY_MS } from "../../core/units.ts";
import type { Scene } from "./scene.ts";

const MIGRATIONS: Migrations = {
  room: "scenes",
  steps: [
    `CREATE TABLE scenes (
       id INTEGER PRIMARY KEY,
       service TEXT NOT NULL,
       run TEXT NOT NULL UNIQUE,
       taken_at_ms INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX scenes_by_service ON scenes (service, taken_at_ms)`,
  ],
};

const KEPT_PER_SERVICE = 5;
const KEPT_FOR_MS = 7 * DAY_MS;

/** The scenes that are kept: the last few of each service, for a week. */
export class SceneStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
  }

  /** @param run names one run of one replica: its scene is kept once */
  add(run: string, scene: Scene): void {
    this.#store.transaction(() => {
      this.#store.run(
        `INSERT INTO scenes (service, run, taken_at_ms, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (run) DO UPDATE SET taken_at_ms = excluded.taken_at_ms, body = excluded.body`,
        scene.service,
        run,
        scene.takenAtMs,
        JSON.stringify(scene),
      );
      this.#store.run(
        `DELETE FROM scenes WHERE service = ? AND id NOT IN (
           SELECT id FROM scenes WHERE service = ? ORDER BY taken_at_ms DESC, id DESC LIMIT ?)`,
        scene.service,
        scene.service,
        KEPT_PER_SERVICE,
      );
    });
  }

  /** Newest first. */
  of(service: ServiceId, nowMs: number): readonly Scene[] {
    return this.#store
      .all(
        "SELECT body FROM scenes WHERE service = ? AND taken_at_ms > ? ORDER BY taken_at_ms DESC, id DESC",
        service,
        nowMs - KEPT_FOR_MS,
      )
      .map((row) => JSON.parse(String(row["body"])) as Scene);
  }

  /** The runs whose scenes are kept. */
  runs(): ReadonlySet<string> {
    return new Set(this.#store.all("SELECT run FROM scenes").map((row) => String(row["run"])));
  }

  prune(nowMs: number): void {
    this.#store.run("DELETE FROM scenes WHERE taken_at_ms <= ?", nowMs - KEPT_FOR_MS);
  }
}
