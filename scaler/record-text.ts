import type { Evaluation, ScalingPolicy, ServiceId } from "../core/types.ts";
import type { ScalingInput } from "./decide.ts";

/**
 * A record as text: JSON with a letter in place of each of these keys. The place in the list is what was written to
 * stores, so keys are only ever added at its end; a key that is not in it is written as it is.
 */
const KEYS: readonly string[] = [
  "desired serving observations read sum burstSum cautiousSum ageMs heldBackRatio",
  "rampFactor single bounds minReplicas maxReplicas schedule oftenNeeded replicas gapMs",
  "forecast memory lastOutAtMs lastInAtMs need windowMs startedAtMs peaks scaleInsAtMs",
  "noiseRatio atMs from wanted to verdicts metric wants asksFor",
  "level burstLevel risingTo max min saturated replicasRead replicasServing limits",
  "limit remainingMs forMs",
].flatMap((keys) => keys.split(" "));
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** A key beyond the letters has none. */
const PAIRS = [...LETTERS].flatMap((letter, index): [string, string][] => {
  const key = KEYS[index];
  return key === undefined ? [] : [[key, letter]];
});
const SHORT = new Map(PAIRS);
const LONG = new Map(PAIRS.map(([key, letter]) => [letter, key]));

/** Without what the table has in columns of its own: the time, the service and the policy. */
export function inputText({
  nowMs: _now,
  service: _service,
  policy: _policy,
  ...rest
}: ScalingInput): string {
  return JSON.stringify(renamed(rest, SHORT));
}

export function evaluationText({ service: _service, atMs: _at, ...rest }: Evaluation): string {
  return JSON.stringify(renamed(rest, SHORT));
}

export function readInput(
  text: string,
  known: { readonly nowMs: number; readonly service: ServiceId; readonly policy: ScalingPolicy },
): ScalingInput {
  return { ...known, ...(renamed(JSON.parse(text), LONG) as Omit<ScalingInput, keyof typeof known>) };
}

export function readEvaluation(
  text: string,
  known: { readonly service: ServiceId; readonly atMs: number },
): Evaluation {
  return { ...known, ...(renamed(JSON.parse(text), LONG) as Omit<Evaluation, keyof typeof known>) };
}

/** In the order that they come in: what is the same is the same text. */
function renamed(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) result[names.get(key) ?? key] = renamed(item, names);
  return result;
}
