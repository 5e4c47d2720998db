import { createHash } from "node:crypto";
import type { Row, Store } from "../core/store.ts";
import type { Evaluation, ScalingPolicy, ServiceId } from "../core/types.ts";
import { DAY_MS, HOUR_MS, SECOND_MS } from "../core/units.ts";
import type { Mode, Recorded } from "./record.ts";
import { evaluationText, inputText, readEvaluation, readInput } from "./record-text.ts";
import { TABLES } from "./tables.ts";

/** A run of evaluations that came out the same: how many, since when, and the newest of them. */
export interface JournalEntry extends Recorded {
  readonly evaluations: number;
  readonly firstAtMs: number;
}

/** The run that a service is at. */
interface Run {
  readonly id: number;
  readonly firstAtMs: number;
  newest: Recorded;
  evaluations: number;
  /** When what is on disk was last all that there is. */
  writtenAtMs: number;
  isWritten: boolean;
}

const KEPT_MS = 28 * DAY_MS;
const WRITTEN_EACH_MS = 30 * SECOND_MS;
/** So that what is kept is dropped in time, and a quiet day is more than one line. */
const LONGEST_RUN_MS = HOUR_MS;
const VERIFIED_AT_ONCE = 250;

const ROWS = `SELECT decisions.*, decided_policies.body AS policy_body
  FROM decisions JOIN decided_policies ON decided_policies.id = decisions.policy`;

/**
 * Every evaluation, kept in the store with the input that it was made from, so that it can be made again. Evaluations
 * in a row that change nothing and say the same — same counts, same verdicts, same limits — are one run with a count
 * and the newest of them, so that a quiet service costs a row an hour and not a row a second.
 *
 * A run begins on disk. That it goes on is written each 30 seconds, when it ends and when the journal is closed: a
 * daemon that is killed has lost of each service up to 30 seconds of "the same as before", and never a change.
 */
export class DecisionJournal {
  readonly #store: Store;
  readonly #runs = new Map<ServiceId, Run>();
  #serviceIds = new Map<ServiceId, number>();
  #policyIds = new WeakMap<ScalingPolicy, number>();

  constructor(store: Store) {
    this.#store = store;
    store.migrate(TABLES);
  }

  /** All of these, or none. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  record(records: readonly Recorded[]): void {
    const runs = records.map((record) => this.#runProlongedBy(record));
    const isDue = (run: Run | undefined, { evaluation }: Recorded) =>
      run === undefined || Math.abs(evaluation.atMs - run.writtenAtMs) >= WRITTEN_EACH_MS;
    const begun = new Map<Recorded, Run>();
    if (records.some((record, index) => isDue(runs[index], record))) {
      this.#transaction(() => {
        for (const [index, record] of records.entries()) {
          const run = runs[index];
          if (run === undefined) {
            this.#writeOpen(record.evaluation.service);
            begun.set(record, this.#insert(record));
          } else if (isDue(run, record)) this.#write(run.id, run.evaluations + 1, record);
        }
      });
    }
    // Only now are they there: what was rolled back has no row, and its id may be another's soon.
    for (const [index, record] of records.entries()) {
      const run = runs[index];
      if (run !== undefined) {
        run.isWritten = isDue(run, record);
        if (run.isWritten) run.writtenAtMs = record.evaluation.atMs;
        run.newest = record;
        run.evaluations += 1;
      }
    }
    for (const [record, run] of begun) this.#runs.set(record.evaluation.service, run);
  }

  /** Newest first. */
  list(service: ServiceId, query: { limit: number; changesOnly: boolean }): JournalEntry[] {
    const changed = query.changesOnly ? "AND changed = 1" : "";
    const sql = `${ROWS} WHERE service = ? ${changed} ORDER BY first_at_ms DESC, decisions.id DESC LIMIT ?`;
    return this.#store
      .all(sql, this.#knownId(service), query.limit)
      .map((row) => this.#entryOf(service, row));
  }

  /** The evaluation in force at an instant: the newest that had begun by then. */
  at(service: ServiceId, atMs: number): JournalEntry | undefined {
    const sql = `${ROWS} WHERE service = ? AND first_at_ms <= ? ORDER BY first_at_ms DESC, decisions.id DESC LIMIT 1`;
    const row = this.#store.get(sql, this.#knownId(service), atMs);
    return row === undefined ? undefined : this.#entryOf(service, row);
  }

  /** All that is kept of a service, oldest first, some at a time. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  *batches(service: ServiceId): Generator<readonly JournalEntry[]> {
    this.flush();
    const sql = `${ROWS} WHERE service = ? AND (first_at_ms, decisions.id) > (?, ?)
      ORDER BY first_at_ms, decisions.id LIMIT ${VERIFIED_AT_ONCE}`;
    let [fromMs, fromId] = [Number.MIN_SAFE_INTEGER, 0];
    for (;;) {
      const rows = this.#store.all(sql, this.#knownId(service), fromMs, fromId);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows.map((row) => entryOf(service, row));
      [fromMs, fromId] = [Number(last["first_at_ms"]), Number(last["id"])];
    }
  }

  /** Drops what is older than is kept. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  prune(nowMs: number): void {
    this.flush();
    const sql = `DELETE FROM decisions WHERE id IN (
        SELECT old.id FROM decided_services
        JOIN decisions AS old ON old.service = decided_services.id AND old.first_at_ms < ?
      )`;
    this.#store.run(sql, nowMs - KEPT_MS);
    for (const [service, run] of this.#runs) {
      if (run.firstAtMs < nowMs - KEPT_MS) this.#runs.delete(service);
    }
  }

  /** Writes how long the runs have become. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  flush(): void {
    this.#transaction(() => {
      for (const service of this.#runs.keys()) this.#writeOpen(service);
    });
    for (const run of this.#runs.values()) run.isWritten = true;
  }

  /** Undefined when what is said is not the same any more. */
  #runProlongedBy(record: Recorded): Run | undefined {
    const run = this.#runs.get(record.evaluation.service);
    return run !== undefined && prolongs(record, run) ? run : undefined;
  }

  #insert(record: Recorded): Run {
    const { input, evaluation, mode, startupMs } = record;
    const { atMs, from, to } = evaluation;
    const row = this.#store.get(
      `INSERT INTO decisions
         (service, policy, first_at_ms, last_at_ms, evaluations, changed, mode, startup_ms, input, evaluation)
       VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?) RETURNING id`,
      ...[this.#serviceId(evaluation.service), this.#policyId(input.policy), atMs, atMs, from === to ? 0 : 1],
      ...[mode === "live" ? null : mode, Math.round(startupMs), inputText(input), evaluationText(evaluation)],
    );
    const id = Number(row?.["id"]);
    // Services that were first seen at once are not written at once for ever.
    const writtenAtMs = atMs - ((id * SECOND_MS) % WRITTEN_EACH_MS);
    return { id, firstAtMs: atMs, newest: record, evaluations: 1, writtenAtMs, isWritten: true };
  }

  #writeOpen(service: ServiceId): void {
    const run = this.#runs.get(service);
    if (run !== undefined && !run.isWritten) this.#write(run.id, run.evaluations, run.newest);
  }

  #write(id: number, evaluations: number, { input, evaluation, startupMs }: Recorded): void {
    this.#store.run(
      "UPDATE decisions SET last_at_ms = ?, evaluations = ?, startup_ms = ?, input = ?, evaluation = ? WHERE id = ?",
      ...[
        evaluation.atMs,
        evaluations,
        Math.round(startupMs),
        inputText(input),
        evaluationText(evaluation),
        id,
      ],
    );
  }

  #entryOf(service: ServiceId, row: Row): JournalEntry {
    const run = this.#runs.get(service);
    if (run === undefined || run.id !== row["id"]) return entryOf(service, row);
    return { ...run.newest, evaluations: run.evaluations, firstAtMs: run.firstAtMs };
  }

  #transaction(work: () => void): void {
    try {
      this.#store.transaction(work);
    } catch (error) {
      // Some of these may have been given by what was rolled back.
      this.#serviceIds = new Map();
      this.#policyIds = new WeakMap();
      throw error;
    }
  }

  #knownId(service: ServiceId): number {
    const row = this.#store.get("SELECT id FROM decided_services WHERE name = ?", service);
    return Number(row?.["id"] ?? -1);
  }

  #serviceId(service: ServiceId): number {
    const known = this.#serviceIds.get(service);
    if (known !== undefined) return known;
    this.#store.run("INSERT INTO decided_services (name) VALUES (?) ON CONFLICT DO NOTHING", service);
    const id = this.#knownId(service);
    this.#serviceIds.set(service, id);
    return id;
  }

  #policyId(policy: ScalingPolicy): number {
    const known = this.#policyIds.get(policy);
    if (known !== undefined) return known;
    const body = JSON.stringify(policy);
    const hash = createHash("sha256").update(body).digest("base64url");
    this.#store.run(
      "INSERT INTO decided_policies (hash, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
      hash,
      body,
    );
    const id = Number(this.#store.get("SELECT id FROM decided_policies WHERE hash = ?", hash)?.["id"]);
    this.#policyIds.set(policy, id);
    return id;
  }
}

function prolongs({ input, evaluation, mode }: Recorded, run: Run): boolean {
  const { newest } = run;
  const lastsMs = evaluation.atMs - run.firstAtMs;
  return (
    evaluation.from === evaluation.to &&
    mode === newest.mode &&
    input.policy === newest.input.policy &&
    lastsMs >= 0 &&
    lastsMs < LONGEST_RUN_MS &&
    saysTheSame(evaluation, newest.evaluation)
  );
}

/** Compared in place: this is asked of each service each second. */
function saysTheSame(a: Evaluation, b: Evaluation): boolean {
  if (a.from !== b.from || a.wanted !== b.wanted || a.to !== b.to) return false;
  if (a.verdicts.length !== b.verdicts.length || a.limits.length !== b.limits.length) return false;
  for (const [index, { metric, wants, replicasServing }] of a.verdicts.entries()) {
    const other = b.verdicts[index];
    if (other?.metric !== metric || other.wants !== wants || other.replicasServing !== replicasServing)
      return false;
  }
  for (const [index, { limit, to }] of a.limits.entries()) {
    const other = b.limits[index];
    if (other?.limit !== limit || other.to !== to) return false;
  }
  return true;
}

function entryOf(service: ServiceId, row: Row): JournalEntry {
  const nowMs = Number(row["last_at_ms"]);
  const policy = JSON.parse(String(row["policy_body"])) as ScalingPolicy;
  return {
    input: readInput(String(row["input"]), { nowMs, service, policy }),
    evaluation: readEvaluation(String(row["evaluation"]), { service, atMs: nowMs }),
    mode: (row["mode"] ?? "live") as Mode,
    startupMs: Number(row["startup_ms"]),
    evaluations: Number(row["evaluations"]),
    firstAtMs: Number(row["first_at_ms"]),
  };
}
