import { setTimeout as sleep } from "node:timers/promises";
import { startDockerd } from "../lab/engine.ts";
import { isRunning, type ProcessIdentity, stop } from "../lab/processes.ts";
import type { OwnEngine } from "./own-engine.ts";
import { disturbPlans, type Stage, TAKES_MS } from "./stage.ts";

const LIMIT_MS = 120_000;
const WAYS = ["stopped", "killed", "lost with all that ran on it"] as const;
const STOPS_WITHIN_MS = 30_000;

/** Ends the engine in the middle of a plan, and starts it again. */
export async function restartPoints(stage: Stage, engine: OwnEngine): Promise<void> {
  const { random, tally } = stage;
  await disturbPlans(stage, LIMIT_MS, async (plan) => {
    const afterMs = random.between(0, TAKES_MS[plan.kind]);
    const way = random.pick(WAYS);
    await sleep(afterMs);
    const { dockerd, containerd } = engine.state;
    if (dockerd === undefined || containerd === undefined) throw new Error("the engine does not run");
    if (way === "stopped") await stop(dockerd, STOPS_WITHIN_MS);
    else await kill(dockerd);
    if (way === "lost with all that ran on it") {
      await kill(containerd);
      await engine.ensure();
    } else await startDockerd(engine.directory, engine.state);
    tally.count(way);
    return `the engine ${way} ${afterMs} ms into it`;
  });
}

async function kill(identity: ProcessIdentity): Promise<void> {
  if (isRunning(identity)) process.kill(identity.pid, "SIGKILL");
  while (isRunning(identity)) await sleep(20);
}
