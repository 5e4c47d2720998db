import { formatDuration, parseDurationMs } from "./units.ts";

/** A value that was read from a label's text, or why it could not be. */
export type Reading<T> = { readonly value: T } | { readonly refusal: string };

/** `"70"`, `"70%"` and `0.7` are all seventy percent, returned as the ratio 0.7. */
export function readPercent(text: string): Reading<number> {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text);
  if (match === null) return { refusal: 'expected a percentage, as "70" or "70%"' };
  const number = Number(match[1]);
  const saysPercent = match[2] === "%";
  if (number === 0) return { refusal: "expected a percentage above 0" };
  if (!saysPercent && number === 1) return { refusal: 'expected "1%" or "100%": 1 may mean either' };
  // 0.7 is a ratio to anybody who writes it; nobody scales at 0.7 %.
  const ratio = !saysPercent && number < 1 ? number : number / 100;
  return ratio > 100 ? { refusal: "expected a percentage of at most 10000" } : { value: ratio };
}

/** A whole number of at least `least`. */
export function readCount(least: number): (text: string) => Reading<number> {
  return (text) => {
    const count = /^\s*\d{1,6}\s*$/.test(text) ? Number(text) : Number.NaN;
    return count >= least ? { value: count } : { refusal: `expected a whole number of at least ${least}` };
  };
}

/** A duration between two bounds, in milliseconds. */
export function readDuration(leastMs: number, mostMs: number): (text: string) => Reading<number> {
  return (text) => {
    const durationMs = parseDurationMs(text);
    if (durationMs === undefined) return { refusal: 'expected a duration, as "15s" or "5m"' };
    if (durationMs >= leastMs && durationMs <= mostMs) return { value: durationMs };
    return { refusal: `expected a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}` };
  };
}

/** YAML's words for true and false. */
export function readBoolean(text: string): Reading<boolean> {
  const word = text.trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return { value: true };
  if (["false", "no", "off", "0"].includes(word)) return { value: false };
  return { refusal: 'expected "true" or "false"' };
}

/** The same for what is switched. */
export function readSwitch(text: string): Reading<boolean> {
  const reading = readBoolean(text);
  return "value" in reading ? reading : { refusal: 'expected "on" or "off"' };
}

/** One of a few words. */
export function readWord<Word extends string>(...words: readonly Word[]): (text: string) => Reading<Word> {
  return (text) => {
    const word = words.find((known) => known === text.trim().toLowerCase());
    return word === undefined
      ? { refusal: `expected ${words.map((known) => `"${known}"`).join(" or ")}` }
      : { value: word };
  };
}

const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;

/** A finite number. */
export function readNumber(text: string): Reading<number> {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? { value: number } : { refusal: 'expected a number, as "100" or "0.5"' };
}

/** A finite number above 0. */
export function readPositive(text: string): Reading<number> {
  const reading = readNumber(text);
  if ("refusal" in reading || reading.value > 0) return reading;
  return { refusal: "expected a number above 0" };
}

const MOST_CHARACTERS_OF_A_QUERY = 8_000;

/** PromQL; whether it can be used is for a Prometheus to say. */
export function readQuery(text: string): Reading<string> {
  const query = text.trim();
  if (query === "") return { refusal: "expected a PromQL expression" };
  if (query.length <= MOST_CHARACTERS_OF_A_QUERY) return { value: query };
  return { refusal: `expected a PromQL expression of at most ${MOST_CHARACTERS_OF_A_QUERY} characters` };
}

export function readPort(text: string): Reading<number> {
  const port = /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) return { refusal: 'expected a port, as "9100"' };
  return { value: port };
}

/** A path, perhaps with a query. */
export function readMetricsPath(text: string): Reading<string> {
  const path = text.trim();
  return /^\/[!-~]*$/.test(path) && !path.includes("#")
    ? { value: path }
    : { refusal: 'expected a path, as "/metrics"' };
}
