import { setTimeout as sleep } from "node:timers/promises";
import { fillDisk, makeRoom } from "../integration/small-disk.ts";
import { disturbPlans, type Stage, TAKES_MS } from "./stage.ts";

const LIMIT_MS = 120_000;
const REFILL_MS = 250;

/** Fills a disk in the middle of a plan, leaves it full for a while, and makes room again. */
export async function diskPoints(stage: Stage, directories: readonly [string, ...string[]]): Promise<void> {
  const { random, tally } = stage;
  await disturbPlans(stage, LIMIT_MS, async (plan) => {
    const directory = random.pick(directories);
    const afterMs = random.between(0, TAKES_MS[plan.kind]);
    const fullMs = random.between(500, 5_000);
    await sleep(afterMs);
    const untilMs = performance.now() + fullMs;
    while (performance.now() < untilMs) {
      // Again and again: what others delete meanwhile would make room.
      fillDisk(directory);
      await sleep(REFILL_MS);
    }
    makeRoom(directory);
    tally.count(directory === stage.arena.house.dataDirectory ? "data directory full" : "engine's disk full");
    return `${directory} full ${afterMs} ms into it for ${fullMs} ms`;
  });
}
