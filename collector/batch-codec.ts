import type { ReplicaId, Sample } from "../core/types.ts";
import type { Batch } from "./batch.ts";

/**
 * A batch on the wire: a row of numbers for each sample, and the position in the list of targets in place of the
 * replica's id, which alone is longer than the row. Each message stands alone, so that any of them can be dropped.
 */

/** Position of the target, offset from the batch's read time, then a value for each field; null is absent. */
export type SampleRow = readonly (number | null)[];
export type MissedRow = readonly [position: number, reason: string];

export interface SamplesMessage {
  readonly type: "samples";
  readonly tick: number;
  readonly readAtMs: number;
  /** The list of targets that positions mean. */
  readonly revision: number;
  /** Batches that had to be dropped so far, because the daemon did not take them in time. */
  readonly droppedBatches: number;
  readonly rows: readonly SampleRow[];
  readonly missed: readonly MissedRow[];
}

const FIELDS = [
  "cpuUsageSeconds",
  "cpuCores",
  "cpuThrottledSeconds",
  "cpuHeldBackRatio",
  "memoryUsageBytes",
  "memoryWorkingSetBytes",
  "requestsPerSecond",
  "latencyMs",
] as const satisfies readonly (keyof Sample)[];

const ROW_LENGTH = 2 + FIELDS.length;

/** Leaves out what is of a replica that is not in the list. */
export function encodeBatch(
  batch: Batch,
  revision: number,
  positions: ReadonlyMap<ReplicaId, number>,
  droppedBatches: number,
): SamplesMessage {
  const rows: SampleRow[] = [];
  for (const sample of batch.samples) {
    const position = positions.get(sample.replica);
    if (position === undefined) continue;
    rows.push([position, sample.readAtMs - batch.readAtMs, ...FIELDS.map((field) => sample[field] ?? null)]);
  }
  const missed: MissedRow[] = [];
  for (const { replica, reason } of batch.missed) {
    const position = positions.get(replica);
    if (position !== undefined) missed.push([position, reason]);
  }
  return {
    type: "samples",
    tick: batch.tick,
    readAtMs: batch.readAtMs,
    revision,
    droppedBatches,
    rows,
    missed,
  };
}

/** Undefined when a position is not in the list: the message and the list do not belong together. */
export function decodeBatch(message: SamplesMessage, replicas: readonly ReplicaId[]): Batch | undefined {
  const samples: Sample[] = [];
  for (const row of message.rows) {
    const replica = replicas[row[0] ?? -1];
    if (replica === undefined) return undefined;
    const sample: { -readonly [Key in keyof Sample]: Sample[Key] } = {
      replica,
      readAtMs: message.readAtMs + (row[1] ?? 0),
    };
    FIELDS.forEach((field, index) => {
      const value = row[index + 2];
      if (typeof value === "number") sample[field] = value;
    });
    samples.push(sample);
  }
  const missed: { replica: ReplicaId; reason: string }[] = [];
  for (const [position, reason] of message.missed) {
    const replica = replicas[position];
    if (replica === undefined) return undefined;
    missed.push({ replica, reason });
  }
  return { tick: message.tick, readAtMs: message.readAtMs, samples, missed };
}

export function isSamplesMessage(value: object): value is SamplesMessage {
  const message = value as Partial<Record<keyof SamplesMessage, unknown>>;
  return (
    message.type === "samples" &&
    [message.tick, message.readAtMs, message.revision, message.droppedBatches].every(Number.isFinite) &&
    Array.isArray(message.rows) &&
    message.rows.every(isSampleRow) &&
    Array.isArray(message.missed) &&
    message.missed.every(isMissedRow)
  );
}

function isSampleRow(row: unknown): row is SampleRow {
  return (
    Array.isArray(row) &&
    row.length === ROW_LENGTH &&
    Number.isInteger(row[0]) &&
    Number.isFinite(row[1]) &&
    row.every((cell) => cell === null || Number.isFinite(cell))
  );
}

function isMissedRow(row: unknown): row is MissedRow {
  return Array.isArray(row) && row.length === 2 && Number.isInteger(row[0]) && typeof row[1] === "string";
}
