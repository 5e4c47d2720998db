import { InvalidArgumentError } from "commander";
import { parseDurationMs } from "../core/units.ts";

/** What is typed of trials, read as `arguments.ts` does. */

/** `20%` or `20`, as a ratio. */
export function readShare(text: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,2})?)%?$/.exec(text) ?? [];
  const percent = Number(digits);
  if (digits === undefined || percent > 100) {
    throw new InvalidArgumentError("Expected a share of the requests from 0 to 100 %, as 20%.");
  }
  return percent / 100;
}

/** As `readShare`; a canary has some of the requests, and never all. */
export function readCanaryShare(text: string): number {
  const share = readShare(text);
  if (share <= 0 || share >= 1) {
    throw new InvalidArgumentError("Expected a share of the requests above 0 and below 100 %, as 20%.");
  }
  return share;
}

/** `5%,20%,50%`, as ratios. */
export function readShares(text: string): readonly number[] {
  const shares = text.split(",").map((share) => readShare(share.trim()));
  const isAscending = shares.every((share, index) => share > (shares[index - 1] ?? 0) && share < 1);
  if (!isAscending) {
    throw new InvalidArgumentError("Expected ascending shares above 0 and below 100 %, as 5%,20%,50%.");
  }
  return shares;
}

const LEAST_STEP_MS = 1_000;
const MOST_STEP_MS = 86_400_000;

/** How long a weight is watched, in milliseconds. */
export function readStepTime(text: string): number {
  const stepMs = parseDurationMs(text);
  if (stepMs === undefined || stepMs < LEAST_STEP_MS || stepMs > MOST_STEP_MS) {
    throw new InvalidArgumentError("Expected a duration from 1s to 24h, as 1m.");
  }
  return stepMs;
}
