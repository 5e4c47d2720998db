import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { FlyballError, messageOf } from "./errors.ts";

/** The change sets of one room's tables, oldest first. Applied once each; never edited, only added to. */
export interface Migrations {
  readonly room: string;
  readonly steps: readonly string[];
}

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

/** How long a write may wait for the disk's other users before it fails. */
const BUSY_TIMEOUT_MS = 200;
/** SQLite's result codes, the extended ones in the low byte of which these stand. */
const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/**
 * The SQLite file in the data directory: what an engine cannot keep. One daemon at a time: the file is held with an
 * exclusive lock that the kernel releases when the process ends, however it ends.
 *
 * Every method throws STORE_FULL when the disk is full and STORE_UNUSABLE for anything else; a transaction that
 * throws leaves nothing behind.
 */
export class Store implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @throws FlyballError STORE_LOCKED, STORE_FULL, STORE_UNUSABLE */
  constructor(dataDirectory: string) {
    this.#database = open(dataDirectory);
  }

  /** Brings one room's tables up to date. */
  migrate(migrations: Migrations): void {
    this.transaction(() => {
      const row = this.get("SELECT version FROM migrations WHERE room = ?", migrations.room);
      const version = Number(row?.["version"] ?? 0);
      if (version > migrations.steps.length) {
        throw new FlyballError(
          "STORE_UNUSABLE",
          `the data directory was written by a newer Flyball: ${migrations.room} is at version ${version}, this one knows ${migrations.steps.length}`,
        );
      }
      for (const step of migrations.steps.slice(version)) this.#guard(() => this.#database.exec(step));
      this.run(
        "INSERT INTO migrations (room, version) VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version",
        migrations.room,
        migrations.steps.length,
      );
    });
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values)) as Row | undefined;
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values)) as Row[];
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#guard(() => this.#prepare(sql).run(...values));
  }

  /** All of `work`, or nothing of it. Not to be nested. */
  transaction<T>(work: () => T): T {
    this.#guard(() => this.#database.exec("BEGIN IMMEDIATE"));
    try {
      const result = work();
      this.#guard(() => this.#database.exec("COMMIT"));
      return result;
    } catch (error) {
      // A full disk may have rolled back already.
      if (this.#database.isTransaction) this.#guard(() => this.#database.exec("ROLLBACK"));
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error);
    }
  }
}

function open(dataDirectory: string): DatabaseSync {
  const path = join(dataDirectory, "flyball.db");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Service definitions hold environments, and those hold passwords.
    chmodSync(path, 0o600);
    // Exclusive before WAL: the lock then lasts as long as the process, and needs no shared-memory file.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = NORMAL");
    database.exec("BEGIN EXCLUSIVE");
    database.exec(
      "CREATE TABLE IF NOT EXISTS migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT",
    );
    database.exec("COMMIT");
    return database;
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (resultCode(error) === SQLITE_BUSY) {
      throw new FlyballError("STORE_LOCKED", `another daemon works on the data directory ${dataDirectory}`, {
        cause: error,
      });
    }
    throw storeError(error, `the data directory ${dataDirectory} cannot be used`);
  }
}

function storeError(error: unknown, context = "the store cannot be used"): FlyballError {
  if (error instanceof FlyballError) return error;
  const full = resultCode(error) === SQLITE_FULL || messageOf(error).includes("ENOSPC");
  if (full)
    return new FlyballError("STORE_FULL", "the disk under the data directory is full", { cause: error });
  return new FlyballError("STORE_UNUSABLE", `${context}: ${messageOf(error)}`, { cause: error });
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}
