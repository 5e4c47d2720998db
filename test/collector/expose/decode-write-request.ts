import { PbfReader } from "pbf";
import { uncompress } from "snappyjs";

export interface DecodedSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly isStale: boolean;
  readonly atMs: number;
}

/** Reads a `WriteRequest` as a receiver does. Throws when labels are not in order. */
export function decodeWriteRequest(body: Uint8Array): DecodedSeries[] {
  const series: DecodedSeries[] = [];
  eachField(new PbfReader(uncompress(new Uint8Array(body))), (field, pbf) => {
    if (field === 1) series.push(decodeSeries(nested(pbf)));
  });
  return series;
}

function decodeSeries(pbf: PbfReader): DecodedSeries {
  const labels: [string, string][] = [];
  let value = Number.NaN;
  let isStale = false;
  let atMs = Number.NaN;
  eachField(pbf, (field, part) => {
    if (field === 1) labels.push(decodeLabel(nested(part)));
    if (field !== 2) return;
    eachField(nested(part), (inner, sample) => {
      if (inner === 1) {
        isStale = sample.dataView.getBigUint64(sample.pos, true) === 0x7ff0_0000_0000_0002n;
        value = sample.readDouble();
      } else {
        atMs = sample.readVarint(true);
      }
    });
  });
  const names = labels.map(([name]) => name);
  if (names.toSorted().join() !== names.join()) throw new Error(`labels out of order: ${names}`);
  return { labels: Object.fromEntries(labels), value, isStale, atMs };
}

function decodeLabel(pbf: PbfReader): [string, string] {
  const pair: [string, string] = ["", ""];
  eachField(pbf, (field, part) => {
    pair[field - 1] = part.readString();
  });
  return pair;
}

function nested(pbf: PbfReader): PbfReader {
  return new PbfReader(pbf.readBytes());
}

function eachField(pbf: PbfReader, visit: (field: number, pbf: PbfReader) => void): void {
  for (let field = pbf.nextField(); field !== 0; field = pbf.nextField()) visit(field, pbf);
}
