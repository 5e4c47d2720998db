import { FlyballError, formatError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Migrations, Row, Store } from "../core/store.ts";
import type { Rule, ServiceId } from "../core/types.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../core/units.ts";
import type { ServiceMetric, ServiceSeries } from "./service-series.ts";

/** A service over one minute of the wall clock. What was not read in it is absent. */
export interface ServiceMinute {
  /** When the minute began. */
  readonly atMs: number;
  /** Instants that were read; fewer than usual where something was missing. */
  readonly readings: number;
  /** Mean over the minute. */
  readonly replicas: number;
  /** Of the service as a whole: mean over the minute, and its highest instant. */
  readonly cpuCores?: number;
  readonly cpuMaxCores?: number;
  /** Of a replica: mean over the minute, and the busiest one at its highest instant. */
  readonly cpuRatio?: number;
  readonly cpuMaxRatio?: number;
  readonly memoryWorkingSetBytes?: number;
  readonly memoryMaxWorkingSetBytes?: number;
  readonly memoryRatio?: number;
  readonly memoryMaxRatio?: number;
  /** Of the service as a whole: mean over the minute. */
  readonly requestsPerSecond?: number;
}

/** Four weeks: a forecast wants each weekday several times. */
const KEPT_MS = 28 * DAY_MS;

const MIGRATIONS: Migrations = {
  room: "collector",
  steps: [
    `CREATE TABLE minute_services (id INTEGER PRIMARY KEY, service TEXT NOT NULL UNIQUE) STRICT;
     CREATE TABLE minutes (
       service_id INTEGER NOT NULL,
       minute INTEGER NOT NULL,
       readings INTEGER NOT NULL,
       replicas REAL NOT NULL,
       cpu_cores REAL,
       cpu_max_cores REAL,
       cpu_ratio REAL,
       cpu_max_ratio REAL,
       memory_working_set_bytes INTEGER,
       memory_max_working_set_bytes INTEGER,
       memory_ratio REAL,
       memory_max_ratio REAL,
       PRIMARY KEY (service_id, minute)
     ) STRICT, WITHOUT ROWID`,
    "ALTER TABLE minutes ADD COLUMN requests_per_second REAL",
  ],
};

/** In the order of the table's columns. */
const FIELDS = [
  "readings",
  "replicas",
  "cpuCores",
  "cpuMaxCores",
  "cpuRatio",
  "cpuMaxRatio",
  "memoryWorkingSetBytes",
  "memoryMaxWorkingSetBytes",
  "memoryRatio",
  "memoryMaxRatio",
  "requestsPerSecond",
] as const satisfies readonly (keyof ServiceMinute)[];
const COLUMNS = FIELDS.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

/**
 * The minutes of every service, kept in the store for four weeks. A minute that cannot be written is lost: that is
 * said once, and sampling goes on.
 */
export class Minutes {
  readonly #store: Store;
  readonly #series: ServiceSeries;
  readonly #log: Log;
  /** The minute that is not over yet. */
  #openMinute: number | undefined;
  #writing = true;

  constructor(options: { store: Store; series: ServiceSeries; log: Log }) {
    this.#store = options.store;
    this.#series = options.series;
    this.#log = options.log;
    this.#store.migrate(MIGRATIONS);
  }

  /** To be called after each reading, with its time: writes the minute before, when this is the first of a new one. */
  tick(readAtMs: number): void {
    const minute = Math.floor(readAtMs / MINUTE_MS);
    const ended = this.#openMinute;
    if (minute === ended) return;
    this.#openMinute = minute;
    this.#series.forgetSilentSince(readAtMs - HOUR_MS);
    if (ended !== undefined) this.#write(ended);
  }

  /** The minutes that began at `fromMs` or later and before `toMs`, oldest first. */
  read(service: ServiceId, fromMs: number, toMs: number): ServiceMinute[] {
    const sql = `SELECT minutes.* FROM minutes JOIN minute_services ON id = service_id
      WHERE service = ? AND minute >= ? AND minute < ? ORDER BY minute`;
    const [from, to] = [fromMs, toMs].map((atMs) => Math.ceil(atMs / MINUTE_MS));
    return this.#store.all(sql, service, from ?? 0, to ?? 0).map(minuteOf);
  }

  /**
   * What a service as a whole used of the capacity of one replica, minute by minute, oldest first: all that is kept.
   * Of cpu and memory only.
   */
  *demand(
    service: ServiceId,
    { metric, capacity = 1 }: Rule,
    nowMs: number,
  ): Iterable<{ fromMs: number; toMs: number; demand: number }> {
    if (metric !== "cpu" && metric !== "memory") return;
    for (const { atMs, cpuCores, memoryWorkingSetBytes } of this.read(service, nowMs - KEPT_MS, nowMs)) {
      const used = metric === "cpu" ? cpuCores : memoryWorkingSetBytes;
      if (used !== undefined) yield { fromMs: atMs, toMs: atMs + MINUTE_MS, demand: used / capacity };
    }
  }

  /** Drops what is older than is kept. */
  prune(nowMs: number): void {
    this.#attempt(() => {
      const oldest = Math.floor((nowMs - KEPT_MS) / MINUTE_MS);
      for (const { id } of this.#store.all("SELECT id FROM minute_services")) {
        this.#store.run("DELETE FROM minutes WHERE service_id = ? AND minute < ?", Number(id), oldest);
      }
      this.#store.run(
        "DELETE FROM minute_services WHERE NOT EXISTS (SELECT 1 FROM minutes WHERE service_id = id)",
      );
    });
  }

  #write(minute: number): void {
    this.#attempt(() => {
      for (const service of this.#series.services) {
        const summary = minuteFrom(this.#series, service, minute * MINUTE_MS);
        if (summary !== undefined) this.#insert(service, minute, summary);
      }
    });
  }

  #insert(service: ServiceId, minute: number, summary: ServiceMinute): void {
    this.#store.run("INSERT INTO minute_services (service) VALUES (?) ON CONFLICT DO NOTHING", service);
    this.#store.run(
      `INSERT OR REPLACE INTO minutes (service_id, minute, ${COLUMNS.join()})
       SELECT id, ?, ${COLUMNS.map(() => "?").join()} FROM minute_services WHERE service = ?`,
      minute,
      ...FIELDS.map((field) => summary[field] ?? null),
      service,
    );
  }

  #attempt(work: () => void): void {
    try {
      this.#store.transaction(work);
      if (!this.#writing) this.#log.info("the minutes of the services are kept again");
      this.#writing = true;
    } catch (error) {
      if (!(error instanceof FlyballError)) throw error;
      if (this.#writing) {
        this.#log.error(
          { error: formatError(error) },
          "the minutes of the services cannot be written, and are lost until they can",
        );
      }
      this.#writing = false;
    }
  }
}

/** Undefined when nothing was read in it. */
function minuteFrom(series: ServiceSeries, service: ServiceId, atMs: number): ServiceMinute | undefined {
  // A window is open at its start and closed at its end; a minute is the other way round, and times are whole.
  const [fromMs, toMs] = [atMs - 1, atMs + MINUTE_MS - 1];
  const window = (metric: ServiceMetric) => series.window(service, metric, fromMs, toMs);
  const replicas = window("replicas");
  if (replicas === undefined) return undefined;
  const cores = window("cpuCores");
  const ratio = window("cpuRatio");
  const maxRatio = window("cpuMaxRatio");
  const memory = window("memoryWorkingSetBytes");
  const memoryRatio = window("memoryRatio");
  const memoryMaxRatio = window("memoryMaxRatio");
  const requests = window("requestsPerSecond");
  return {
    atMs,
    readings: replicas.count,
    replicas: replicas.mean,
    ...(cores !== undefined && { cpuCores: cores.mean, cpuMaxCores: cores.max }),
    ...(ratio !== undefined && { cpuRatio: ratio.mean }),
    ...(maxRatio !== undefined && { cpuMaxRatio: maxRatio.max }),
    ...(memory !== undefined && {
      memoryWorkingSetBytes: Math.round(memory.mean),
      memoryMaxWorkingSetBytes: Math.round(memory.max),
    }),
    ...(memoryRatio !== undefined && { memoryRatio: memoryRatio.mean }),
    ...(memoryMaxRatio !== undefined && { memoryMaxRatio: memoryMaxRatio.max }),
    ...(requests !== undefined && { requestsPerSecond: requests.mean }),
  };
}

function minuteOf(row: Row): ServiceMinute {
  const values = FIELDS.flatMap((field, index) => {
    const value = row[COLUMNS[index] ?? ""];
    return value === null ? [] : [[field, Number(value)]];
  });
  return { atMs: Number(row["minute"]) * MINUTE_MS, ...Object.fromEntries(values) };
}
