import type { MetricType } from "./metrics-text.ts";

/**
 * Under which names applications count the requests that they answered. Of several the first of this order is taken, a
 * histogram before a summary before a counter: they count the same requests.
 */

/** OpenTelemetry's, Spring's, what most client libraries show in their examples, and an older one of OpenTelemetry. */
const DURATIONS = [
  "http_server_request_duration",
  "http_server_requests",
  "http_request_duration",
  "http_requests",
  "http_server_duration",
];
/** A unit of OpenMetrics is the last word of the family's name. */
const UNITS_MS: readonly (readonly [suffix: string, milliseconds: number])[] = [
  ["seconds", 1_000],
  ["milliseconds", 1],
  ["ms", 1],
];
const COUNTERS = ["http_server_requests", "http_requests", "requests"];
const TOTAL = "_total";

export interface RequestFamily {
  /** As the parser names it. */
  readonly name: string;
  readonly type: MetricType;
  /** What the bounds of its buckets are in, in milliseconds. */
  readonly unitMs?: number;
}

const DURATION_FAMILIES = DURATIONS.flatMap((base) =>
  UNITS_MS.map(([suffix, unitMs]) => ({ name: `${base}_${suffix}`, unitMs })),
);

/** In the order in which they are taken. */
export const REQUEST_FAMILIES: readonly RequestFamily[] = [
  ...DURATION_FAMILIES.map((family) => ({ ...family, type: "histogram" as const })),
  ...DURATION_FAMILIES.map((family) => ({ ...family, type: "summary" as const })),
  ...COUNTERS.map((name) => ({ name, type: "counter" as const })),
  // Without a line that says its type.
  ...COUNTERS.map((name) => ({ name: `${name}${TOTAL}`, type: "unknown" as const })),
];

const LINE = new RegExp(
  `^(?:#[ \\t]+TYPE[ \\t]+)?(?:${[...DURATIONS.map((base) => `${base}_`), ...COUNTERS].join("|")}).*$`,
  "gmu",
);

/** The lines of a page that may be of them: the others are many, and need not be understood. */
export function requestLines(text: string): string {
  return text.match(LINE)?.join("\n") ?? "";
}
