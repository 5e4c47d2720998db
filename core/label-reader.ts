import type { Diagnostics } from "./diagnostics.ts";
import type { Reading } from "./label-values.ts";

export interface LabelSpec<T> {
  readonly key: string;
  /** Spellings of another platform that mean the same. */
  readonly aliases: readonly string[];
  /** One line of Markdown for the reference. */
  readonly meaning: string;
  readonly defaultText: string;
  readonly example: string;
  readonly read: (text: string) => Reading<T>;
}

export function label<T>(
  key: string,
  read: (text: string) => Reading<T>,
  about: { meaning: string; defaultText: string; example: string; aliases?: readonly string[] },
): LabelSpec<T> {
  return { key, read, aliases: [], ...about };
}

/** Reads labels by their specification and remembers what was wrong. */
export class LabelReader {
  readonly #labels: Readonly<Record<string, string>>;
  readonly #path: string;
  readonly #diagnostics: Diagnostics;
  readonly #defaults: Readonly<Record<string, string>>;

  /** @param defaults key of a label → what it says where the service does not say it itself */
  constructor(
    labels: Readonly<Record<string, string>>,
    path: string,
    diagnostics: Diagnostics,
    defaults: Readonly<Record<string, string>> = {},
  ) {
    this.#labels = labels;
    this.#path = path;
    this.#diagnostics = diagnostics;
    this.#defaults = defaults;
  }

  /** The value under the label's key or one of its other spellings; absent also when it cannot be read. */
  get<T>(spec: LabelSpec<T>): T | undefined {
    const values: T[] = [];
    const [key, ...others] = this.#given(spec);
    if (key === undefined) return this.#defaultOf(spec);
    for (const given of [key, ...others]) {
      const text = this.#labels[given] ?? "";
      const reading = spec.read(text);
      if ("value" in reading) values.push(reading.value);
      else this.error(given, `${reading.refusal}, got ${shown(text)}`);
    }
    // Compared as they are meant: "70" and "70%" do not contradict each other.
    const [value, ...same] = new Set(values);
    if (same.length === 0) return value;
    this.error(key, `contradicts ${others.join(", ")}: keep one`);
    return undefined;
  }

  /** The service says at least one of them itself. */
  says(...specs: readonly LabelSpec<unknown>[]): boolean {
    return specs.some((spec) => this.#given(spec).length > 0);
  }

  /** As `says`, or the defaults do. */
  has(...specs: readonly LabelSpec<unknown>[]): boolean {
    return this.says(...specs) || specs.some((spec) => this.#defaults[spec.key] !== undefined);
  }

  /** The label's name as the person wrote it, so that a message points at what stands in the file. */
  written(spec: LabelSpec<unknown>): string {
    return this.#given(spec)[0] ?? spec.key;
  }

  /** The same for a sentence, where a default is told from what the service says. */
  named(spec: LabelSpec<unknown>): string {
    return this.says(spec) || !this.has(spec) ? this.written(spec) : defaultFor(spec.key);
  }

  error(key: string, message: string): void {
    const { path, about } = this.#placeOf(key);
    this.#diagnostics.error({ path }, about + message);
  }

  warning(key: string, message: string): void {
    const { path, about } = this.#placeOf(key);
    this.#diagnostics.warning({ path }, about + message);
  }

  /** What a default brings about stands at no label of the service. */
  #placeOf(key: string): { path: string; about: string } {
    if (this.#labels[key] === undefined) return { path: this.#path, about: `${defaultFor(key)}: ` };
    return { path: this.#path === "" ? key : `${this.#path}.${key}`, about: "" };
  }

  #defaultOf<T>(spec: LabelSpec<T>): T | undefined {
    const text = this.#defaults[spec.key];
    if (text === undefined) return undefined;
    const reading = spec.read(text);
    if ("value" in reading) return reading.value;
    this.error(spec.key, `${reading.refusal}, got ${shown(text)}`);
    return undefined;
  }

  #given(spec: LabelSpec<unknown>): string[] {
    return [spec.key, ...spec.aliases].filter((key) => this.#labels[key] !== undefined);
  }
}

function defaultFor(key: string): string {
  return `the configuration's default for ${key}`;
}

const MOST_SHOWN = 200;

function shown(text: string): string {
  return JSON.stringify(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
}
