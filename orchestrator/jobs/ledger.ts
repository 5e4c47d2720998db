import type { RunId } from "../../core/job.ts";
import type { Migrations, Row, Store } from "../../core/store.ts";
import type { ServiceId } from "../../core/types.ts";
import type { JobMemory } from "./note.ts";
import { isOver, type Run } from "./run.ts";

const MIGRATIONS: Migrations = {
  room: "jobs",
  steps: [
    `CREATE TABLE jobs (
       service TEXT PRIMARY KEY,
       project TEXT NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE TABLE job_runs (
       number INTEGER PRIMARY KEY AUTOINCREMENT,
       id TEXT NOT NULL UNIQUE,
       service TEXT NOT NULL,
       project TEXT NOT NULL,
       due_at_ms INTEGER NOT NULL,
       state TEXT NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE INDEX job_runs_of_service ON job_runs (service, number);
     CREATE TABLE job_logs (
       run TEXT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
       task INTEGER NOT NULL,
       attempt INTEGER NOT NULL,
       service TEXT NOT NULL,
       text TEXT NOT NULL,
       PRIMARY KEY (run, task, attempt)
     ) STRICT`,
    "CREATE INDEX job_logs_of_service ON job_logs (service)",
  ],
};

/** Of each job, beside the last that succeeded. */
const MOST_RUNS = 500;
/** Of what all tasks of one job wrote. */
const MOST_LOG_CHARACTERS = 4 * 2 ** 20;

/** What is written in one go: all of it, or nothing. */
export interface LedgerChange {
  readonly project: string;
  readonly memory?: { readonly service: ServiceId; readonly memory: JobMemory };
  /** New ones and changed ones. */
  readonly runs: readonly Run[];
  readonly forgetMissedAfterMs?: number;
}

export interface KeptLog {
  readonly task: number;
  readonly attempt: number;
  readonly text: string;
}

/**
 * The ledger of runs: what was due, and what became of it. A run stands in it before its first container is made, and
 * each instant of a job stands in it once. Those that are not over are in memory as well.
 */
export class JobLedger {
  readonly #store: Store;
  readonly #memories = new Map<ServiceId, JobMemory>();
  /** By service; oldest first. */
  readonly #active = new Map<ServiceId, Map<RunId, Run>>();
  readonly #lastSuccess = new Map<ServiceId, Run>();

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
    for (const row of store.all("SELECT service, body FROM jobs")) {
      this.#memories.set(String(row["service"]), JSON.parse(String(row["body"])) as JobMemory);
    }
    const open =
      "SELECT body FROM job_runs WHERE state IN ('pending', 'running', 'stopping') ORDER BY number";
    for (const row of store.all(open)) this.#keepActive(runOf(row));
    const successes = `SELECT body FROM job_runs WHERE number IN
      (SELECT max(number) FROM job_runs WHERE state = 'succeeded' GROUP BY service)`;
    for (const row of store.all(successes)) {
      const run = runOf(row);
      this.#lastSuccess.set(run.service, run);
    }
  }

  memory(service: ServiceId): JobMemory | undefined {
    return this.#memories.get(service);
  }

  /** Those of the job that are not over, oldest first. */
  active(service: ServiceId): readonly Run[] {
    return [...(this.#active.get(service)?.values() ?? [])];
  }

  /** One of those that are not over. */
  activeRun(id: RunId): Run | undefined {
    return this.#active.get(id.slice(0, id.lastIndexOf("@")))?.get(id);
  }

  get allActive(): readonly Run[] {
    return [...this.#active.values()].flatMap((runs) => [...runs.values()]);
  }

  lastSuccess(service: ServiceId): Run | undefined {
    return this.#lastSuccess.get(service);
  }

  /** Newest first. */
  runs(service: ServiceId, most: number): readonly Run[] {
    const rows = this.#store.all(
      "SELECT body FROM job_runs WHERE service = ? ORDER BY number DESC LIMIT ?",
      service,
      most,
    );
    return rows.map(runOf);
  }

  run(id: RunId): Run | undefined {
    const row = this.#store.get("SELECT body FROM job_runs WHERE id = ?", id);
    return row === undefined ? undefined : runOf(row);
  }

  /** Instants after that one at which the job was due, and did run. */
  ranAfter(service: ServiceId, atMs: number): ReadonlySet<number> {
    const rows = this.#store.all(
      "SELECT due_at_ms FROM job_runs WHERE service = ? AND due_at_ms > ? AND state <> 'missed'",
      service,
      atMs,
    );
    return new Set(rows.map((row) => Number(row["due_at_ms"])));
  }

  write({ project, memory, runs, forgetMissedAfterMs }: LedgerChange): void {
    this.#store.transaction(() => {
      if (memory !== undefined) {
        if (forgetMissedAfterMs !== undefined) {
          this.#store.run(
            "DELETE FROM job_runs WHERE service = ? AND state = 'missed' AND due_at_ms > ?",
            memory.service,
            forgetMissedAfterMs,
          );
        }
        this.#store.run(
          `INSERT INTO jobs (service, project, body) VALUES (?, ?, ?)
           ON CONFLICT (service) DO UPDATE SET body = excluded.body, project = excluded.project`,
          memory.service,
          project,
          JSON.stringify(memory.memory),
        );
      }
      for (const run of runs) this.#save(run);
      for (const service of new Set(runs.map((run) => run.service))) this.#prune(service);
    });
    if (memory !== undefined) this.#memories.set(memory.service, memory.memory);
    for (const run of runs) this.#keepActive(run);
  }

  keepLog({ id, service }: Run, { task, attempt, text }: KeptLog): void {
    this.#store.transaction(() => {
      this.#store.run(
        `INSERT INTO job_logs (run, task, attempt, service, text) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (run, task, attempt) DO UPDATE SET text = excluded.text`,
        id,
        task,
        attempt,
        service,
        text,
      );
      this.#store.run(
        `DELETE FROM job_logs WHERE rowid IN (SELECT one FROM (
           SELECT rowid AS one, sum(length(text)) OVER (ORDER BY rowid DESC) AS characters
           FROM job_logs WHERE service = ?) WHERE characters > ?)`,
        service,
        MOST_LOG_CHARACTERS,
      );
    });
  }

  hasLog(run: RunId, task: number, attempt: number): boolean {
    const sql = "SELECT 1 FROM job_logs WHERE run = ? AND task = ? AND attempt = ?";
    return this.#store.get(sql, run, task, attempt) !== undefined;
  }

  /** By task, then by attempt. */
  logs(run: RunId): readonly KeptLog[] {
    const rows = this.#store.all(
      "SELECT task, attempt, text FROM job_logs WHERE run = ? ORDER BY task, attempt",
      run,
    );
    return rows.map((row) => ({
      task: Number(row["task"]),
      attempt: Number(row["attempt"]),
      text: String(row["text"]),
    }));
  }

  /** Everything of jobs that are not among these. Returns those that were forgotten. */
  forgetOthers(kept: ReadonlySet<ServiceId>): readonly ServiceId[] {
    const gone = [...this.#memories.keys()].filter((service) => !kept.has(service));
    if (gone.length === 0) return gone;
    this.#store.transaction(() => {
      for (const service of gone) {
        this.#store.run("DELETE FROM job_runs WHERE service = ?", service);
        this.#store.run("DELETE FROM jobs WHERE service = ?", service);
      }
    });
    for (const service of gone) {
      this.#memories.delete(service);
      this.#active.delete(service);
      this.#lastSuccess.delete(service);
    }
    return gone;
  }

  #save(run: Run): void {
    this.#store.run(
      `INSERT INTO job_runs (id, service, project, due_at_ms, state, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body`,
      run.id,
      run.service,
      run.project,
      run.dueAtMs,
      run.state,
      JSON.stringify(run),
    );
  }

  /** What is under way stays, and so does the last success: others may wait for it. */
  #prune(service: ServiceId): void {
    this.#store.run(
      `DELETE FROM job_runs WHERE service = ?1 AND state NOT IN ('pending', 'running', 'stopping')
         AND number <= (SELECT number FROM job_runs WHERE service = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
         AND number <> (SELECT coalesce(max(number), 0) FROM job_runs WHERE service = ?1 AND state = 'succeeded')`,
      service,
      MOST_RUNS,
    );
  }

  #keepActive(run: Run): void {
    let runs = this.#active.get(run.service);
    if (isOver(run)) {
      runs?.delete(run.id);
      if (run.state === "succeeded") this.#lastSuccess.set(run.service, run);
      return;
    }
    if (runs === undefined) {
      runs = new Map();
      this.#active.set(run.service, runs);
    }
    runs.set(run.id, run);
  }
}

function runOf(row: Row): Run {
  return JSON.parse(String(row["body"])) as Run;
}
