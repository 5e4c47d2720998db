import { messageOf } from "../../core/errors.ts";
import { assertMachine } from "../lab/packages.ts";
import { type ChaosOptions, type GroundName, readOptions } from "./options.ts";
import { disturb } from "./run.ts";

/**
 * `npm run chaos -- [--seed N] [--points N] [--engine NAME]… [--only kill|engine|socket|hands|disk]… [--verbose]`: the real daemon on real
 * engines of its own, disturbed; a line for each disturbance and engine. The exit status is 1 when anything was wrong.
 */
const SEEDS = 2 ** 31;

async function onGround(options: ChaosOptions, ground: GroundName, signal: AbortSignal): Promise<number> {
  let failures = 0;
  for (const disturbance of options.only) {
    if (signal.aborted) break;
    try {
      const line = await disturb(disturbance, ground, options, signal);
      if (line !== undefined) process.stdout.write(`${line}\n`);
    } catch (error) {
      failures += 1;
      process.stdout.write(`FAILED ${disturbance} (--seed ${options.seed}): ${messageOf(error)}\n`);
    }
  }
  return failures;
}

try {
  assertMachine();
  const options = readOptions(process.argv.slice(2), Math.floor(Math.random() * SEEDS));
  process.stdout.write(`seed ${options.seed}, ${options.points} points\n`);
  const ending = new AbortController();
  // Whoever ends it early does not want to tidy up after it.
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => ending.abort(new Error(`ended by ${name}`)));
  const runs = options.engines.map((ground) => onGround(options, ground, ending.signal));
  const failures = await Promise.all(runs);
  process.exitCode = failures.some((count) => count > 0) ? 1 : 0;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
