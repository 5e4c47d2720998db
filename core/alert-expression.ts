import type { AlertRequest, AlertSignal, Comparison, NoData, Severity } from "./alert.ts";
import { type Reading, readNumber, readPercent } from "./label-values.ts";
import { formatDuration, MINUTE_MS, parseDurationMs, SECOND_MS } from "./units.ts";

const EXPRESSION =
  /^(?<comparison>>=|<=|>|<)\s*(?<threshold>[^\s,]+(?:\s*%)?)(?:[\s,]+for\s+(?<held>[^\s,]+))?(?:[\s,]+keep\s+(?<kept>[^\s,]+))?(?:[\s,]+(?<severity>critical|warning|info))?(?:[\s,]+no[ -]data\s+(?<noData>fires|resolves))?$/u;

const DEFAULT_FOR_MS = MINUTE_MS;
/** So that a level that swings around its threshold is one alert and not many. */
const DEFAULT_KEEP_MS = 30 * SECOND_MS;
const LONGEST_MS = 7 * 24 * 60 * MINUTE_MS;

const EXAMPLES: Readonly<Record<AlertSignal, string>> = {
  cpu: "> 90% for 2m",
  memory: "> 95% for 1m critical",
  rps: "< 1 for 10m",
  latency: "> 800ms for 2m",
  replicas: "< 2 for 1m critical",
};

/** `"> 90% for 2m"`, or several for one signal, separated by `;`. */
export function readAlerts(signal: AlertSignal): (text: string) => Reading<readonly AlertRequest[]> {
  return (text) => {
    const requests: AlertRequest[] = [];
    for (const part of text.split(";").map((one) => one.trim())) {
      if (part === "" && requests.length > 0) continue;
      const reading = readAlert(signal, part);
      if ("refusal" in reading) return reading;
      if (requests.some(({ severity }) => severity === reading.value.severity)) {
        return { refusal: `expected one threshold for each severity, got two for ${reading.value.severity}` };
      }
      requests.push(reading.value);
    }
    return { value: requests };
  };
}

function readAlert(signal: AlertSignal, text: string): Reading<AlertRequest> {
  const found = EXPRESSION.exec(text.toLowerCase())?.groups;
  if (found === undefined) {
    return {
      refusal: `expected a comparison, perhaps with "for", "keep", a severity and "no data fires", as "${EXAMPLES[signal]}"`,
    };
  }
  const threshold = readThreshold(signal, found["threshold"] ?? "");
  if ("refusal" in threshold) return threshold;
  const forMs = readSpan(found["held"], DEFAULT_FOR_MS);
  const keepFiringForMs = readSpan(found["kept"], DEFAULT_KEEP_MS);
  if (forMs === undefined || keepFiringForMs === undefined) {
    return { refusal: `expected a duration from 0 to ${formatDuration(LONGEST_MS)}, as "2m"` };
  }
  return {
    value: {
      signal,
      comparison: found["comparison"] as Comparison,
      threshold: threshold.value,
      forMs,
      keepFiringForMs,
      severity: (found["severity"] ?? "warning") as Severity,
      noData: noDataOf(found["noData"]),
    },
  };
}

function readThreshold(signal: AlertSignal, text: string): Reading<number> {
  if (signal === "cpu" || signal === "memory") return readPercent(text);
  if (signal === "latency") {
    const durationMs = parseDurationMs(text);
    return durationMs === undefined ? { refusal: 'expected a duration, as "800ms"' } : { value: durationMs };
  }
  const reading = readNumber(text);
  if ("refusal" in reading || reading.value >= 0) return reading;
  return { refusal: "expected a number of at least 0" };
}

function readSpan(text: string | undefined, defaultMs: number): number | undefined {
  if (text === undefined) return defaultMs;
  const spanMs = parseDurationMs(text);
  return spanMs === undefined || spanMs > LONGEST_MS ? undefined : spanMs;
}

function noDataOf(word: string | undefined): NoData {
  if (word === "fires") return "fire";
  return word === "resolves" ? "resolve" : "keep";
}
