import { messageOf } from "../../core/errors.ts";
import { assertMachine } from "../lab/packages.ts";
import { type ChaosOptions, type GroundName, readOptions } from "./options.ts";
import { disturb } from "./run.ts";

/**
 * `npm run chaos -- [--seed N] [--points N] [--engine NAME]… [--only kill|engine|socket|hands|disk]…`: the real daemon on real
 * engines of its own, disturbed; a line for each disturbance and engine. The exit status is 1 when anything was wrong.
 */
const SEEDS = 2 ** 31;

async function onGround(options: ChaosOptions, ground: GroundName): Promise<number> {
  let failures = 0;
  for (const disturbance of options.only) {
    try {
      const line = await disturb(disturbance, ground, options);
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
  const failures = await Promise.all(options.engines.map((ground) => onGround(options, ground)));
  process.exitCode = failures.some((count) => count > 0) ? 1 : 0;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
