import { PbfWriter } from "pbf";
import { compress } from "snappyjs";
import { type Label, parseSampleLine, type SampleLine } from "../../sample-line.ts";

/**
 * Prometheus remote write 1.0: a page becomes snappy-compressed `WriteRequest` messages of bounded size. Field
 * numbers are those of the protocol's `remote.proto` and `types.proto`.
 */

/** The protocol's own advice for one request; some milliseconds of work. */
const SERIES_PER_REQUEST = 2_000;

/** The NaN that says: this series has ended. It has to be written as bits, because a number keeps none of them. */
const STALE_LOW_BITS = 0x0000_0002;
const STALE_HIGH_BITS = 0x7ff0_0000;
const FIXED64 = 1;

export interface WriteRequest {
  readonly body: Uint8Array;
  readonly samples: number;
}

interface Point {
  /** Absent: the series has ended. */
  readonly value?: number;
  readonly atMs: number;
}

/** Remembers the series of the page before, so that those which are gone are marked as ended. */
export class WriteRequests {
  #series: ReadonlySet<string> = new Set();

  /** To be iterated to the end, at leisure: each step is a bounded piece of work. */
  *of(page: string, atMs: number): Generator<WriteRequest> {
    const before = this.#series;
    const seen = new Set<string>();
    let request = new RequestWriter();
    for (const sample of samplesOf(page)) {
      // A second line of the same series would make the receiver refuse the whole request.
      if (seen.has(sample.key)) continue;
      seen.add(sample.key);
      request.add(sample, { value: sample.value, atMs });
      if (request.samples === SERIES_PER_REQUEST) {
        yield request.finish();
        request = new RequestWriter();
      }
    }
    this.#series = seen;
    for (const key of before) {
      const ended = seen.has(key) ? undefined : parseSampleLine(`${key} 0`);
      if (ended === undefined) continue;
      request.add(ended, { atMs });
      if (request.samples === SERIES_PER_REQUEST) {
        yield request.finish();
        request = new RequestWriter();
      }
    }
    if (request.samples > 0) yield request.finish();
  }
}

function* samplesOf(page: string): Generator<SampleLine> {
  for (let from = 0; from < page.length; ) {
    const newline = page.indexOf("\n", from);
    const to = newline === -1 ? page.length : newline;
    const sample = page[from] === "#" ? undefined : parseSampleLine(page.slice(from, to));
    if (sample !== undefined) yield sample;
    from = to + 1;
  }
}

class RequestWriter {
  readonly #pbf = new PbfWriter();
  samples = 0;

  add(sample: SampleLine, point: Point): void {
    this.#pbf.writeMessage(1, writeTimeSeries, { sample, point });
    this.samples += 1;
  }

  finish(): WriteRequest {
    return { body: compress(this.#pbf.finish()), samples: this.samples };
  }
}

function writeTimeSeries({ sample, point }: { sample: SampleLine; point: Point }, pbf: PbfWriter): void {
  const labels = [{ name: "__name__", value: sample.name }, ...sample.labels];
  // Receivers require labels in order and without empty values, which mean the same as no label.
  for (const label of labels.sort(byName)) if (label.value !== "") pbf.writeMessage(1, writeLabel, label);
  pbf.writeMessage(2, writePoint, point);
}

function byName(a: Label, b: Label): number {
  return a.name < b.name ? -1 : 1;
}

function writeLabel({ name, value }: Label, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeStringField(2, value);
}

function writePoint({ value, atMs }: Point, pbf: PbfWriter): void {
  if (value === undefined) {
    pbf.writeTag(1, FIXED64);
    pbf.writeFixed32(STALE_LOW_BITS);
    pbf.writeFixed32(STALE_HIGH_BITS);
  } else {
    pbf.writeDoubleField(1, value);
  }
  pbf.writeVarintField(2, Math.round(atMs));
}
