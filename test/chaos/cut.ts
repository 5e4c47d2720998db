import { setTimeout as sleep } from "node:timers/promises";
import { Aims } from "./aims.ts";
import { disturbPlans, type Stage, TAKES_MS } from "./stage.ts";

const LIMIT_MS = 120_000;
const LONGEST_CUT_MS = 2_000;

/** Cuts the daemon off from its engine while a request is under way, sometimes for a while. */
export async function cutPoints(stage: Stage): Promise<void> {
  const { arena, random, tally } = stage;
  const { socket } = arena;
  if (socket === undefined) return;
  const aims = new Aims();
  await disturbPlans(stage, LIMIT_MS, async (plan) => {
    const aim = aims.next(plan.kind);
    const cutMs = random.next() < 0.5 ? 0 : random.between(50, LONGEST_CUT_MS);
    const struck = Promise.withResolvers<string>();
    socket.aim(aim, struck.resolve);
    const request = await Promise.race([struck.promise, sleep(2 * TAKES_MS[plan.kind])]);
    socket.aim();
    if (request === undefined) {
      aims.missed(plan.kind);
      tally.count("after the plan");
      await socket.cut();
      await socket.join();
      return "cut when it was over";
    }
    aims.hit(plan.kind, aim);
    tally.count(cutMs === 0 ? "one answer lost" : "cut off for a while");
    if (cutMs > 0) {
      await socket.cut();
      await sleep(cutMs);
      await socket.join();
    }
    return `step ${aim.step} (${request}) cut when ${aim.moment}, then cut off for ${cutMs} ms`;
  });
  tally.count("different steps and moments", aims.covered);
}
