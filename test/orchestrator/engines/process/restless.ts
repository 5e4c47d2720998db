/** A process that creates, starts, stops and removes replicas without a pause, until it is killed. */
import { json } from "node:stream/consumers";
import { systemClock } from "../../../../core/clock.ts";
import { createLog } from "../../../../core/log.ts";
import { openProcessEngine } from "../../../../orchestrator/engines/process/engine.ts";
import { Driver, shell } from "./harness.ts";

const options = (await json(process.stdin)) as { dataDirectory: string; instanceId: string };
const engine = await openProcessEngine({ ...options, clock: systemClock, log: createLog("silent") });
const driver = new Driver(engine, options.dataDirectory);
process.stdout.write("ready\n");

/** Leaves every third replica running and every fourth ended. */
async function turn(slot: number): Promise<void> {
  for (let round = slot; ; round += 1) {
    const id = await driver.run(shell("sleep 600 & wait"), slot);
    if (round % 3 === 0) continue;
    await driver.stop(id);
    if (round % 4 !== 0) await driver.remove(id);
  }
}

await Promise.all([1, 2, 3].map(turn));
