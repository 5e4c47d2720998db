/** What is kept on disk of each replica, so that a daemon that was killed finds it again. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FlyballError, messageOf } from "../../../core/errors.ts";
import type { Log } from "../../../core/log.ts";
import type { ReplicaId } from "../../../core/types.ts";
import { isReplicaId } from "./identity.ts";
import { storeError } from "./store-error.ts";

const HEALTHCHECK = z.object({
  test: z.array(z.string()).readonly(),
  intervalMs: z.number(),
  timeoutMs: z.number(),
  retries: z.number(),
  startPeriodMs: z.number(),
  startIntervalMs: z.exactOptional(z.number()),
});

/** All it takes to start the replica again without asking the compose file. */
const LAUNCH = z.object({
  /** Empty on an orphan, of which nothing is known but that it runs. */
  argv: z.array(z.string()).readonly(),
  environment: z.record(z.string(), z.string()).readonly(),
  workingDirectory: z.string(),
  /** Absent: the daemon's own user. */
  user: z.exactOptional(z.object({ uid: z.number(), gid: z.number() })),
  stopSignal: z.string(),
  stopGraceMs: z.number(),
  /** The port that the service itself speaks of; absent: the one it is given. */
  targetPort: z.exactOptional(z.number()),
  limitCores: z.exactOptional(z.number()),
  limitMemoryBytes: z.exactOptional(z.number()),
  limitPids: z.exactOptional(z.number()),
  healthcheck: z.exactOptional(HEALTHCHECK),
  notEnforced: z.array(z.string()).readonly(),
});

/** One run of the command. Absent from the record: it never ran. */
const RUN = z.object({
  // It will be signalled: never 0 or 1, nor a group.
  pid: z.int().min(2),
  startTicks: z.int(),
  bootId: z.string(),
  startedAtMs: z.number(),
  readyAtMs: z.exactOptional(z.number()),
  stoppingSinceMs: z.exactOptional(z.number()),
  notEnforced: z.array(z.string()).readonly(),
  /** Present: the run has ended. */
  exit: z.exactOptional(
    z.object({
      atMs: z.number(),
      /** Absent: it ended while nobody watched. */
      code: z.exactOptional(z.number()),
      oomKilled: z.exactOptional(z.boolean()),
    }),
  ),
});

const RECORD = z.object({
  version: z.literal(1),
  id: z.string(),
  owner: z.string(),
  project: z.string(),
  service: z.string(),
  slot: z.int(),
  templateHash: z.string(),
  createdAtMs: z.number(),
  port: z.int().min(1).max(65_535),
  launch: LAUNCH,
  /** Present: a task of a job, and no replica. */
  task: z.exactOptional(z.object({ run: z.string(), task: z.int(), attempt: z.int() })),
  run: z.exactOptional(RUN),
});

export type Launch = Readonly<z.infer<typeof LAUNCH>>;
export type Run = Readonly<z.infer<typeof RUN>>;
export type ReplicaRecord = Readonly<z.infer<typeof RECORD>>;

/** One JSON file per replica, mode 0600 because the environment holds secrets. Writes are atomic and reach the disk. */
export class RecordStore {
  readonly #directory: string;
  readonly #log: Log;
  readonly #writes = new Map<ReplicaId, Promise<void>>();

  private constructor(directory: string, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /** @throws FlyballError STORE_UNUSABLE, STORE_FULL */
  static async open(directory: string, log: Log): Promise<RecordStore> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw storeError(error, directory);
    }
    return new RecordStore(directory, log);
  }

  /**
   * All records there are. A file that cannot be understood is set aside: its processes, if any, are found as orphans.
   * @throws FlyballError STORE_UNUSABLE when a file cannot be read at all: what it holds may well be running
   */
  async load(): Promise<ReplicaRecord[]> {
    try {
      const records: ReplicaRecord[] = [];
      for (const name of await readdir(this.#directory)) {
        const path = join(this.#directory, name);
        if (name.endsWith(".tmp")) await rm(path, { force: true });
        if (!name.endsWith(".json")) continue;
        const record = parseRecord(await readFile(path, "utf8"), name.slice(0, -".json".length));
        if (typeof record !== "string") records.push(record);
        else {
          this.#log.error({ path, problem: record }, "a replica's record cannot be understood; set aside");
          await rename(path, `${path}.unreadable`);
        }
      }
      return records;
    } catch (error) {
      throw storeError(error, this.#directory);
    }
  }

  /** @throws FlyballError STORE_FULL, STORE_UNUSABLE; the record before stays as it was then */
  save(record: ReplicaRecord): Promise<void> {
    return this.#inTurn(record.id, () => this.#write(record));
  }

  /** When all that was to be written so far is on the disk, or could not be written. */
  async settled(): Promise<void> {
    await Promise.all(this.#writes.values());
  }

  /** Where a run leaves word of itself. */
  statusPath(id: ReplicaId): string {
    return join(this.#directory, `${id}.status`);
  }

  delete(id: ReplicaId): Promise<void> {
    return this.#inTurn(id, async () => {
      await rm(this.statusPath(id), { force: true });
      await rm(this.#path(id), { force: true });
      await this.#syncDirectory();
    });
  }

  #path(id: ReplicaId): string {
    return join(this.#directory, `${id}.json`);
  }

  /** One write at a time per replica, so that the last one asked for is the one that stays. */
  #inTurn(id: ReplicaId, write: () => Promise<void>): Promise<void> {
    const turn = (this.#writes.get(id) ?? Promise.resolve()).then(write).catch((error: unknown) => {
      throw error instanceof FlyballError ? error : storeError(error, this.#path(id));
    });
    const settled = turn.catch(() => undefined);
    this.#writes.set(id, settled);
    void settled.then(() => {
      if (this.#writes.get(id) === settled) this.#writes.delete(id);
    });
    return turn;
  }

  async #write(record: ReplicaRecord): Promise<void> {
    const path = this.#path(record.id);
    const temporary = `${path}.tmp`;
    try {
      const file = await open(temporary, "w", 0o600);
      try {
        await file.writeFile(JSON.stringify(record));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await this.#syncDirectory();
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** The record, or what is wrong with it. */
export function parseRecord(text: string, id: string): ReplicaRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return messageOf(error);
  }
  const parsed = RECORD.safeParse(value);
  if (!parsed.success) return z.prettifyError(parsed.error);
  if (!isReplicaId(id) || parsed.data.id !== id)
    return `it says id ${parsed.data.id}, the file is named ${id}`;
  return parsed.data;
}
