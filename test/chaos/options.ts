import { parseArgs } from "node:util";
import { ENGINE_NAMES } from "../lab/engine.ts";

export const DISTURBANCES = ["kill", "engine", "socket", "hands", "disk"] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

export const GROUNDS = [...ENGINE_NAMES, "process"] as const;
export type GroundName = (typeof GROUNDS)[number];

export interface ChaosOptions {
  readonly seed: number;
  /** Kills in all; the other disturbances are fewer in proportion. */
  readonly points: number;
  readonly engines: readonly GroundName[];
  readonly only: readonly Disturbance[];
  /** A line for each point. */
  readonly isVerbose: boolean;
}

const DEFAULT_POINTS = 240;

/** @param chance the seed when none is given @throws Error that says what was expected */
export function readOptions(args: readonly string[], chance: number): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string" },
      points: { type: "string" },
      engine: { type: "string", multiple: true },
      only: { type: "string", multiple: true },
      verbose: { type: "boolean" },
    },
  });
  return {
    seed: count("--seed", values.seed, 0) ?? chance,
    points: count("--points", values.points, 1) ?? DEFAULT_POINTS,
    engines: words("--engine", values.engine, GROUNDS),
    isVerbose: values.verbose === true,
    only: words("--only", values.only, DISTURBANCES),
  };
}

function count(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new Error(`${option} takes a whole number from ${least}, got "${text}"`);
}

function words<T extends string>(
  option: string,
  given: readonly string[] = [],
  known: readonly T[],
): readonly T[] {
  for (const word of given) {
    if (!known.some((one) => one === word))
      throw new Error(`${option} takes ${known.join(", ")}, got "${word}"`);
  }
  return given.length === 0 ? known : known.filter((word) => given.includes(word));
}
