import type { Migrations, Row, Store } from "../../core/store.ts";
import type { ReplicaTemplate, ServiceId } from "../../core/types.ts";
import type { Revision, Rollout } from "./rollout.ts";

const MIGRATIONS: Migrations = {
  room: "rollouts",
  steps: [
    `CREATE TABLE revisions (
       service TEXT NOT NULL,
       number INTEGER NOT NULL,
       hash TEXT NOT NULL,
       template TEXT NOT NULL,
       created_at_ms INTEGER NOT NULL,
       ended_at_ms INTEGER,
       outcome TEXT,
       reason TEXT,
       PRIMARY KEY (service, number)
     ) STRICT;
     CREATE TABLE rollouts (
       service TEXT PRIMARY KEY,
       project TEXT NOT NULL,
       body TEXT NOT NULL
     ) STRICT`,
  ],
};
const KEPT_REVISIONS = 10;

/** A template that a service had, and how its rollout ended. */
export interface KeptRevision extends Revision {
  readonly number: number;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  /** Absent: its rollout has not ended, or was overtaken by another. */
  readonly outcome?: "healthy" | "failed";
  readonly reason?: string;
}

/** The last templates of each service and its rollout, in the store. Nothing here decides. */
export class Revisions {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
  }

  /** Newest first. */
  of(service: ServiceId): readonly KeptRevision[] {
    return this.#store
      .all("SELECT * FROM revisions WHERE service = ? ORDER BY number DESC", service)
      .map(revisionOf);
  }

  byHash(service: ServiceId, hash: string): KeptRevision | undefined {
    const row = this.#store.get("SELECT * FROM revisions WHERE service = ? AND hash = ?", service, hash);
    return row === undefined ? undefined : revisionOf(row);
  }

  /** Where a service that leaves the template of that hash would go back to. */
  lastHealthy(service: ServiceId, except: string): KeptRevision | undefined {
    return this.of(service).find(({ hash, outcome }) => hash !== except && outcome === "healthy");
  }

  /** The number of a template that is kept next. */
  nextNumber(service: ServiceId): number {
    const row = this.#store.get("SELECT max(number) AS newest FROM revisions WHERE service = ?", service);
    return Number(row?.["newest"] ?? 0) + 1;
  }

  /** Keeps it as the newest; one that was kept under an older number moves, with its outcome. */
  keep(service: ServiceId, revision: Revision & { readonly number: number }, nowMs: number): void {
    const before = this.byHash(service, revision.hash);
    if (before?.number === revision.number) return;
    this.#store.run("DELETE FROM revisions WHERE service = ? AND hash = ?", service, revision.hash);
    this.#store.run(
      `INSERT INTO revisions (service, number, hash, template, created_at_ms, outcome) VALUES (?, ?, ?, ?, ?, ?)`,
      service,
      revision.number,
      revision.hash,
      JSON.stringify(revision.template),
      nowMs,
      before?.outcome ?? null,
    );
    // Whatever came after: what one can go back to stays.
    this.#store.run(
      `DELETE FROM revisions WHERE service = ? AND number <= ? AND number NOT IN
         (SELECT number FROM revisions WHERE service = ? AND outcome = 'healthy' ORDER BY number DESC LIMIT 2)`,
      service,
      revision.number - KEPT_REVISIONS,
      service,
    );
  }

  /** Another template of the same hash: the same replica, made another way. */
  pin(service: ServiceId, { hash, template }: Revision): void {
    this.#store.run(
      "UPDATE revisions SET template = ? WHERE service = ? AND hash = ?",
      ...[JSON.stringify(template), service, hash],
    );
  }

  ended(
    service: ServiceId,
    hash: string,
    end: { outcome: "healthy" | "failed"; reason?: string | undefined; atMs: number },
  ): void {
    this.#store.run(
      "UPDATE revisions SET outcome = ?, reason = ?, ended_at_ms = ? WHERE service = ? AND hash = ?",
      end.outcome,
      end.reason ?? null,
      end.atMs,
      service,
      hash,
    );
  }

  rollouts(): readonly { readonly project: string; readonly rollout: Rollout }[] {
    return this.#store.all("SELECT project, body FROM rollouts").map((row) => ({
      project: String(row["project"]),
      rollout: JSON.parse(String(row["body"])) as Rollout,
    }));
  }

  saveRollout(project: string, rollout: Rollout): void {
    this.#store.run(
      `INSERT INTO rollouts (service, project, body) VALUES (?, ?, ?)
       ON CONFLICT (service) DO UPDATE SET project = excluded.project, body = excluded.body`,
      rollout.service,
      project,
      JSON.stringify(rollout),
    );
  }

  /** Of a project, those services that are not named. */
  forgetOthers(project: string, services: readonly ServiceId[]): void {
    const known = this.#store
      .all("SELECT service FROM rollouts WHERE project = ?", project)
      .map((row) => String(row["service"]));
    for (const service of known) {
      if (services.includes(service)) continue;
      this.#store.run("DELETE FROM rollouts WHERE service = ?", service);
      this.#store.run("DELETE FROM revisions WHERE service = ?", service);
    }
  }
}

function revisionOf(row: Row): KeptRevision {
  const { ended_at_ms: endedAtMs, outcome, reason } = row;
  return {
    number: Number(row["number"]),
    hash: String(row["hash"]),
    template: JSON.parse(String(row["template"])) as ReplicaTemplate,
    createdAtMs: Number(row["created_at_ms"]),
    ...(typeof endedAtMs === "number" ? { endedAtMs } : {}),
    ...(outcome === "healthy" || outcome === "failed" ? { outcome } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
  };
}
