import type { Evaluation } from "../core/types.ts";
import { decide, type ScalingInput } from "./decide.ts";

/**
 * Whether what is decided is done: `live` it is · `shadow` the service has never been scaled by its rules, and a
 * person has to approve them first · `paused` by a person.
 */
export type Mode = "live" | "shadow" | "paused";

/** An evaluation with what it was made from. */
export interface Recorded {
  readonly input: ScalingInput;
  readonly evaluation: Evaluation;
  readonly mode: Mode;
  /** What a replica was taken to need from its order until it serves. */
  readonly startupMs: number;
}

/** What came out when it was recorded, and what comes out of the same input now, as JSON. */
export interface Replay {
  readonly recorded: string;
  readonly replayed: string;
}

/** Decides again on what was recorded. The two are the same bytes unless `decide` has become another. */
export function replay({ input, evaluation }: Recorded): Replay {
  return { recorded: JSON.stringify(evaluation), replayed: JSON.stringify(decide(input).evaluation) };
}
