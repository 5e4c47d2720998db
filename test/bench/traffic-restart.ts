import { setTimeout as sleep } from "node:timers/promises";
import { haproxyBalancers } from "../integration/traffic-balancers.ts";
import { Stage } from "../integration/traffic-stage.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";

const GOAL_MS = 1_000;
const ASK_EVERY_MS = 5;

/** How long nobody is answered when HAProxy is killed: until it has been found out, and another one serves. */
export const benchRestart: Bench = async (say, { quick }) => {
  const figures: Figure[] = [];
  for (const program of haproxyBalancers()) {
    for (const which of ["master", "worker"] as const) {
      const tookMs: number[] = [];
      for (let round = 0; round < (quick ? 1 : 5); round += 1) {
        await using stage = await Stage.open(program);
        await stage.serve(2);
        // One that ends while it starts counts as one that does not start.
        await stage.until(() => stage.traffic.status().state === "running");
        const { masterPid, workers } = await stage.processes();
        const killedMs = performance.now();
        process.kill(which === "master" ? masterPid : (workers[0] ?? masterPid), "SIGKILL");
        // The old worker may answer for a moment after its master has gone; what counts is the new one.
        await stage.until(() => stage.traffic.status().restarts === 1);
        while (!(await isAnswered(stage))) await sleep(ASK_EVERY_MS);
        tookMs.push(performance.now() - killedMs);
      }
      say(`${program.name}, its ${which} killed: ${tookMs.map(Math.round).join(", ")} ms`);
      figures.push({
        name: `${program.name}: its ${which} killed, traffic back, worst`,
        value: Math.round(percentile(tookMs, 1)),
        unit: "ms",
        goal: { is: "at most", value: GOAL_MS },
      });
    }
  }
  return figures;
};

function isAnswered(stage: Stage): Promise<boolean> {
  return stage.get().then(
    ({ status }) => status === 200,
    () => false,
  );
}
