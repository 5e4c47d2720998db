/** What a column was over a window. Only readings that were made count: a gap is no zero. */
export interface Window {
  readonly mean: number;
  readonly max: number;
  readonly count: number;
  readonly newestAtMs: number;
  readonly oldestAtMs: number;
}

export interface SeriesPoint {
  readonly atMs: number;
  readonly value: number;
}

/** Four minutes at one reading per second: what lives for seconds costs kilobytes, and an hour is a few pieces. */
const CHUNK_READINGS = 240;
const MAX_OFFSET_MS = 0xffff_ffff;

/**
 * Readings of some columns in the order of their times; the oldest make room for the newest. Times are kept to the
 * millisecond, values as 32-bit floats (seven digits). An absent value is NaN inside, and never leaves.
 */
export class Ring {
  readonly #columns: number;
  readonly #capacity: number;
  /** Oldest first; none is empty. */
  readonly #chunks: Chunk[] = [];
  #size = 0;

  /** Keeps at least `capacity` readings of each column, and fewer than a chunk more. */
  constructor(columns: number, capacity: number) {
    this.#columns = columns;
    this.#capacity = capacity;
  }

  /** Absent when nothing is kept. */
  get newestAtMs(): number | undefined {
    const newest = this.#chunks.at(-1);
    return newest?.timeAt(newest.size - 1);
  }

  /** What the readings take, all told. */
  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  }

  append(atMs: number, values: readonly (number | undefined)[]): void {
    this.#dropFrom(atMs);
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.isFull || atMs - chunk.baseMs > MAX_OFFSET_MS) {
      chunk = this.#takeOldest() ?? new Chunk(this.#columns);
      chunk.begin(atMs);
      this.#chunks.push(chunk);
    }
    chunk.append(atMs, values);
    this.#size += 1;
  }

  /** Over the readings after `fromMs`, up to and with `toMs`; undefined when there is none of this column. */
  window(column: number, fromMs: number, toMs: number): Window | undefined {
    let sum = 0;
    let max = Number.NEGATIVE_INFINITY;
    let count = 0;
    let newestAtMs = 0;
    let oldestAtMs = 0;
    this.#eachBack(column, fromMs, (atMs, value) => {
      if (atMs > toMs) return;
      if (count === 0) newestAtMs = atMs;
      oldestAtMs = atMs;
      sum += value;
      if (value > max) max = value;
      count += 1;
    });
    return count === 0 ? undefined : { mean: sum / count, max, count, newestAtMs, oldestAtMs };
  }

  /** The readings after `fromMs`, oldest first. */
  points(column: number, fromMs: number): SeriesPoint[] {
    const points: SeriesPoint[] = [];
    this.#eachBack(column, fromMs, (atMs, value) => points.push({ atMs, value }));
    return points.reverse();
  }

  #eachBack(column: number, fromMs: number, visit: (atMs: number, value: number) => void): void {
    for (let index = this.#chunks.length - 1; index >= 0; index -= 1) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) return;
      for (let row = chunk.size - 1; row >= 0; row -= 1) {
        const atMs = chunk.timeAt(row);
        if (atMs <= fromMs) return;
        const value = chunk.valueAt(column, row);
        if (!Number.isNaN(value)) visit(atMs, value);
      }
    }
  }

  /** The wall clock was set back: what lies ahead of it now would pass for the newest until it has caught up. */
  #dropFrom(atMs: number): void {
    for (;;) {
      const newest = this.#chunks.at(-1);
      if (newest === undefined || newest.timeAt(newest.size - 1) < Math.floor(atMs)) return;
      newest.size -= 1;
      this.#size -= 1;
      if (newest.size === 0) this.#chunks.pop();
    }
  }

  /** The oldest chunk, to be written anew, when there are enough readings without it. */
  #takeOldest(): Chunk | undefined {
    const [oldest] = this.#chunks;
    if (oldest === undefined || this.#size - oldest.size < this.#capacity) return undefined;
    this.#size -= oldest.size;
    return this.#chunks.shift();
  }
}

class Chunk {
  baseMs = 0;
  size = 0;
  readonly #offsets: Uint32Array;
  /** Column after column. */
  readonly #values: Float32Array;

  constructor(columns: number) {
    // In one buffer: each has a price of its own, in bytes and to the garbage collector.
    const buffer = new ArrayBuffer(4 * CHUNK_READINGS * (1 + columns));
    this.#offsets = new Uint32Array(buffer, 0, CHUNK_READINGS);
    this.#values = new Float32Array(buffer, 4 * CHUNK_READINGS);
  }

  get isFull(): boolean {
    return this.size === CHUNK_READINGS;
  }

  get bytes(): number {
    return this.#values.buffer.byteLength;
  }

  begin(atMs: number): void {
    this.baseMs = Math.floor(atMs);
    this.size = 0;
  }

  append(atMs: number, values: readonly (number | undefined)[]): void {
    this.#offsets[this.size] = Math.floor(atMs) - this.baseMs;
    for (let column = 0; column < values.length; column += 1) {
      this.#values[column * CHUNK_READINGS + this.size] = values[column] ?? Number.NaN;
    }
    this.size += 1;
  }

  timeAt(row: number): number {
    return this.baseMs + (this.#offsets[row] ?? 0);
  }

  valueAt(column: number, row: number): number {
    return this.#values[column * CHUNK_READINGS + row] ?? Number.NaN;
  }
}
