import { FlyballError, type Problem } from "../../core/errors.ts";
import { formatDuration, SECOND_MS } from "../../core/units.ts";

/** Points at times: each value holds until the next one. At least two, in ascending order, none negative. */
export interface Trace {
  /** In messages and as a title: a file's name. */
  readonly name: string;
  readonly timesMs: Float64Array;
  /** In whatever unit the load was counted. */
  readonly values: Float64Array;
  /** The distance that most points have from the one before; the last value holds for as long. */
  readonly stepMs: number;
  /** Places where points are missing. The value before such a place is held over it. */
  readonly gaps: number;
  /** How many points are missing there. */
  readonly missing: number;
}

const HEADER = "timestamp_seconds,value";
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
/** More than these in one message help nobody. */
const MOST_PROBLEMS = 10;
/** A point that comes later than this, in steps, has others missing before it. */
const GAP_STEPS = 1.5;

/**
 * A trace from a CSV file with the header `timestamp_seconds,value`.
 *
 * @param name the file's name, for messages
 * @throws FlyballError CONFIG_INVALID that names each line, what was expected there and what came
 */
export function parseTrace(text: string, name: string): Trace {
  const lines = text
    .replace(/^\uFEFF/, "")
    .trimEnd()
    .split(/\r?\n/);
  const [header = "", ...rows] = lines;
  if (header.trim() === "") throw invalid(name, `expected the header ${HEADER}, got an empty file`);
  if (header.trim() !== HEADER)
    throw invalid(name, `expected the header ${HEADER} in line 1, got ${quoted(header)}`);
  if (rows.length < 2)
    throw invalid(name, `expected two samples or more after the header, got ${rows.length}`);

  const timesMs = new Float64Array(rows.length);
  const values = new Float64Array(rows.length);
  const problems: Problem[] = [];
  let faults = 0;
  let lastSeconds = Number.NEGATIVE_INFINITY;
  for (const [index, row] of rows.entries()) {
    const sample = readRow(row, lastSeconds);
    if (typeof sample === "string") {
      faults += 1;
      if (problems.length < MOST_PROBLEMS) problems.push({ at: `${name}:${index + 2}`, message: sample });
      continue;
    }
    lastSeconds = sample.seconds;
    timesMs[index] = sample.seconds * SECOND_MS;
    values[index] = sample.value;
  }
  if (faults > 0) {
    const shown = faults > problems.length ? `; the first ${problems.length} are shown` : "";
    const lineCount = faults === 1 ? "1 line" : `${faults} lines`;
    throw invalid(name, `${lineCount} cannot be used${shown}`, problems);
  }
  return traceOf(name, timesMs, values);
}

/** A trace from points that are known to be in order. */
export function traceOf(name: string, timesMs: Float64Array, values: Float64Array): Trace {
  const stepMs = commonStep(timesMs);
  let gaps = 0;
  let missing = 0;
  for (let index = 1; index < timesMs.length; index += 1) {
    const steps = (at(timesMs, index) - at(timesMs, index - 1)) / stepMs;
    if (steps <= GAP_STEPS) continue;
    gaps += 1;
    missing += Math.round(steps) - 1;
  }
  return { name, timesMs, values, stepMs, gaps, missing };
}

/**
 * The samples from one time since the first of them to before another.
 *
 * @throws FlyballError CONFIG_INVALID when there are fewer than two
 */
export function partOf(trace: Trace, part: { fromMs?: number; toMs?: number } = {}): Trace {
  const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = part;
  if (fromMs === 0 && toMs === Number.POSITIVE_INFINITY) return trace;
  const { name, timesMs, values } = trace;
  const startMs = at(timesMs, 0);
  const isIn = (_: number, index: number) => {
    const sinceMs = at(timesMs, index) - startMs;
    return sinceMs >= fromMs && sinceMs < toMs;
  };
  const times = timesMs.filter(isIn);
  if (times.length < 2) {
    const length = formatDuration(at(timesMs, timesMs.length - 1) - startMs);
    throw invalid(name, `expected two samples or more in that part of its ${length}, got ${times.length}`);
  }
  return traceOf(name, times, values.filter(isIn));
}

/** What was wrong with the row, or its sample. */
function readRow(row: string, lastSeconds: number): { seconds: number; value: number } | string {
  const fields = row.split(",").map((field) => field.trim());
  const [time = "", amount = ""] = fields;
  if (fields.length !== 2) return `expected two fields, ${HEADER}, got ${quoted(row)}`;
  if (!isNumber(time)) return `expected timestamp_seconds as a number, got ${quoted(time)}`;
  if (!isNumber(amount)) return `expected value as a number, got ${quoted(amount)}`;
  const [seconds, value] = [Number(time), Number(amount)];
  if (value < 0) return `expected a value of 0 or more, got ${amount}`;
  if (seconds === lastSeconds) return `expected a time after ${lastSeconds}, got ${time} a second time`;
  if (seconds < lastSeconds) return `expected a time after ${lastSeconds}, got ${time}, which is before it`;
  return { seconds, value };
}

function isNumber(text: string): boolean {
  return NUMBER.test(text) && Number.isFinite(Number(text));
}

/** The most frequent distance; of several, the shortest. */
function commonStep(timesMs: Float64Array): number {
  const counts = new Map<number, number>();
  for (let index = 1; index < timesMs.length; index += 1) {
    const distance = at(timesMs, index) - at(timesMs, index - 1);
    counts.set(distance, (counts.get(distance) ?? 0) + 1);
  }
  let [common, most] = [0, 0];
  for (const [distance, count] of counts) {
    if (count > most || (count === most && distance < common)) [common, most] = [distance, count];
  }
  return common;
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? Number.NaN;
}

const LONGEST_QUOTE = 60;

function quoted(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

function invalid(name: string, message: string, problems: readonly Problem[] = []): FlyballError {
  return new FlyballError("CONFIG_INVALID", `trace ${name}: ${message}`, { problems });
}
