import { formatDurationNs, parseBoolean, parseDurationNs, parseSize } from "./quantities.ts";
import {
  asList,
  asMapping,
  isMapping,
  mapValues,
  scalarText,
  type YamlMapping,
  type YamlValue,
} from "./values.ts";

/**
 * Readers that turn the checked values of a canonical document into those of the model. Each gives undefined for what
 * is not there; `compact` then leaves it out.
 */
export type Read = (value: YamlValue) => YamlValue | undefined;

/** Reads each named key; keys that come to nothing, and keys that are not named, are left out. */
export function readKeys(mapping: YamlMapping, readers: Readonly<Record<string, Read>>): YamlMapping {
  const result: YamlMapping = {};
  for (const [name, read] of Object.entries(readers)) {
    const value = mapping[name];
    const read_ = value === undefined || value === null ? undefined : read(value);
    if (read_ !== undefined) result[name] = read_;
  }
  return result;
}

export const text: Read = (value) => scalarText(value) || undefined;

export const flag: Read = (value) => toBoolean(value) || undefined;

/** A boolean that is printed also when false. */
export const choice: Read = (value) => toBoolean(value);

export const number: Read = (value) => Number(value) || undefined;

/** A number that is printed also when zero. */
export const count: Read = (value) => Number(value);

/** A number as a single-precision float keeps it. */
export const ratio: Read = (value) => singlePrecision(Number(value)) || undefined;

export const duration: Read = (value) => formatDurationNs(parseDurationNs(scalarText(value)) ?? 0);

/** A duration that is left out when zero. */
export const pause: Read = (value) =>
  (parseDurationNs(scalarText(value)) ?? 0) === 0 ? undefined : duration(value);

export const bytes: Read = (value) => {
  const amount = typeof value === "number" ? Math.trunc(value) : (parseSize(scalarText(value)) ?? 0);
  return amount === 0 ? undefined : String(amount);
};

export const texts: Read = (value) => {
  const list = asList(value).map(scalarText);
  return list.length > 0 ? list : undefined;
};

/** A list that is printed also when empty, and null when there is none. */
export const words: Read = (value) => (Array.isArray(value) ? value.map(scalarText) : null);

export const textMap: Read = (value) => filled(mapValues(asMapping(value), scalarText));

/** As `textMap`, but a name without a value stays null. */
export const environment: Read = (value) =>
  filled(mapValues(asMapping(value), (item) => (item === null ? null : scalarText(item))));

export function list(readers: Readonly<Record<string, Read>>): Read {
  return (value) => {
    const items = asList(value).map((item) => readKeys(asMapping(item), readers));
    return items.length > 0 ? items : undefined;
  };
}

export function mapping(readers: Readonly<Record<string, Read>>): Read {
  return (value) => readKeys(asMapping(value), readers);
}

/** The named entries of a mapping, each null or read. */
export function entries(readers: Readonly<Record<string, Read>>): Read {
  return (value) =>
    filled(mapValues(asMapping(value), (item) => (isMapping(item) ? readKeys(item, readers) : null)));
}

/** The mapping, unless it is empty. */
export function filled(value: YamlMapping): YamlMapping | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}

function toBoolean(value: YamlValue): boolean {
  return value === true || (typeof value === "string" && parseBoolean(value) === true);
}

/** The shortest decimal that names the same single-precision number, as docker compose prints it. */
function singlePrecision(value: number): number {
  const wanted = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const candidate = Number(wanted.toPrecision(digits));
    if (Math.fround(candidate) === wanted) return candidate;
  }
  return wanted;
}
