import type { Family } from "./family.ts";
import type { Label } from "./label-rules.ts";
import { escapeLabelValue } from "./label-text.ts";

/** The longest that a number is written: `-1.2345678901234567e-300`. */
const VALUE_BYTES = 24;
const RESERVED = `${" ".repeat(VALUE_BYTES)}\n`;
const NEWLINE = 0x0a;
const ZERO = 0x30;

/**
 * The text of one subject in all its families. Names and labels, which are nearly all of it, are laid out once with
 * room for each value; a tick writes only the values that changed into that room. The unused room is never given out.
 */
export class SubjectText<Subject> {
  readonly #families: readonly Family<Subject>[];
  readonly #labels: string;
  #text: Buffer = Buffer.alloc(0);
  #lines = 0;
  /** For each family its first line; the last is one more, the end of them all. */
  readonly #firstLines: Int32Array;
  #starts = new Int32Array(0);
  #valueStarts = new Int32Array(0);
  /** Behind the newline. */
  #ends = new Int32Array(0);
  #values = new Float64Array(0);
  /** Labels of lines that vary; the same string while they are the same. */
  #rowLabels: (readonly string[])[] = [];
  #bytes = 0;

  constructor(families: readonly Family<Subject>[], labels: readonly Label[]) {
    this.#families = families;
    this.#labels = labels.map(({ name, value }) => `${name}="${escapeLabelValue(value)}"`).join(",");
    this.#firstLines = new Int32Array(families.length + 1);
  }

  /** Of what `copyFamily` gives for all families together. */
  get bytes(): number {
    return this.#bytes;
  }

  get lines(): number {
    return this.#lines;
  }

  update(subject: Subject): void {
    if (this.#patch(subject)) return;
    this.#layOut(subject);
  }

  /** Of the lines of a family, by its position. */
  familyBytes(family: number): number {
    let bytes = 0;
    const end = this.#firstLines[family + 1] ?? 0;
    for (let line = this.#firstLines[family] ?? 0; line < end; line += 1) {
      bytes += (this.#ends[line] ?? 0) - (this.#starts[line] ?? 0);
    }
    return bytes;
  }

  /** Copies the lines of a family, by its position, and returns where they end. */
  copyFamily(family: number, into: Buffer, from: number): number {
    let at = from;
    const end = this.#firstLines[family + 1] ?? 0;
    for (let line = this.#firstLines[family] ?? 0; line < end; line += 1) {
      at += this.#text.copy(into, at, this.#starts[line], this.#ends[line]);
    }
    return at;
  }

  /** False when there are other lines now than those that are laid out. */
  #patch(subject: Subject): boolean {
    const families = this.#families;
    let line = 0;
    for (let position = 0; position < families.length; position += 1) {
      if (this.#firstLines[position] !== line) return false;
      const rows = families[position]?.rows;
      if (rows === undefined) return false;
      const count = rows.count(subject);
      const end = this.#firstLines[position + 1] ?? 0;
      for (let row = 0; row < count; row += 1) {
        const value = rows.value(subject, row);
        if (value === undefined) continue;
        if (line >= end) return false;
        if (rows.varies || count > 1) {
          if (!sameTexts(this.#rowLabels[line], rows.labels(subject, row))) return false;
        }
        if (this.#values[line] !== value) this.#write(line, value);
        line += 1;
      }
    }
    return line === this.#lines && this.#text.length > 0;
  }

  #layOut(subject: Subject): void {
    const starts: number[] = [];
    const valueStarts: number[] = [];
    const values: number[] = [];
    const rowLabels: (readonly string[])[] = [];
    let text = "";
    let at = 0;
    for (const [position, { name, labels, rows }] of this.#families.entries()) {
      this.#firstLines[position] = starts.length;
      for (let row = 0; row < rows.count(subject); row += 1) {
        const value = rows.value(subject, row);
        if (value === undefined) continue;
        const own = rows.labels(subject, row);
        const prefix = `${name}${this.#labelText(labels, own)} `;
        starts.push(at);
        at += Buffer.byteLength(prefix);
        valueStarts.push(at);
        at += RESERVED.length;
        text += prefix + RESERVED;
        values.push(value);
        rowLabels.push(own);
      }
    }
    this.#firstLines[this.#families.length] = starts.length;
    this.#text = Buffer.from(text);
    this.#lines = starts.length;
    this.#starts = Int32Array.from(starts);
    this.#valueStarts = Int32Array.from(valueStarts);
    this.#ends = Int32Array.from(starts);
    this.#values = new Float64Array(values.length);
    this.#rowLabels = rowLabels;
    this.#bytes = 0;
    for (const [line, value] of values.entries()) this.#write(line, value);
  }

  #labelText(names: readonly string[], values: readonly string[]): string {
    const own = names.map((name, index) => `${name}="${escapeLabelValue(values[index] ?? "")}"`).join(",");
    if (this.#labels === "" && own === "") return "";
    return `{${this.#labels}${this.#labels !== "" && own !== "" ? "," : ""}${own}}`;
  }

  #write(line: number, value: number): void {
    this.#values[line] = value;
    const start = this.#valueStarts[line] ?? 0;
    const end = writeNumber(this.#text, start, value);
    this.#text[end] = NEWLINE;
    this.#bytes += end + 1 - (this.#ends[line] ?? 0);
    // A line that was just laid out ends where it starts, and so adds all of itself.
    this.#ends[line] = end + 1;
  }
}

/** Writes the number as text and returns where it ends. */
function writeNumber(text: Buffer, start: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    return start + text.write(numberText(value), start, "latin1");
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits += 1;
  let rest = value;
  for (let index = start + digits - 1; index >= start; index -= 1) {
    const quotient = Math.floor(rest / 10);
    text[index] = ZERO + (rest - quotient * 10);
    rest = quotient;
  }
  return start + digits;
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function sameTexts(a: readonly string[] | undefined, b: readonly string[]): boolean {
  if (a === b) return true;
  if (a === undefined || a.length !== b.length) return false;
  for (let index = 0; index < b.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
