import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Bench, type Figure, percentile } from "./figure.ts";
import type { Crowd, Report } from "./orchestrator-crowd-process.ts";

const PROCESS = fileURLToPath(new URL("orchestrator-crowd-process.ts", import.meta.url));
/** As the flyball command is started: see the first line of cli/main.ts. */
const FLAGS = ["--max-semi-space-size=1"];
const MANY_SERVICES: Crowd = { services: 1_000, replicas: 10, decisions: 600, everyMs: 50 };
const MANY_REPLICAS: Crowd = { services: 3_000, replicas: 10, decisions: 600, everyMs: 50 };
const QUICK_DECISIONS = 60;
const FIRST_CALL_GOAL_MS = 50;
const SCHEDULING_GOAL_MS = 400;

/** From a decision to the calls that carry it out, with a simulated engine and the orchestrator as it is. */
export const benchCrowds: Bench = async (say, { quick }) => {
  const decisions = quick ? { decisions: QUICK_DECISIONS } : {};
  const services = await measured(say, { ...MANY_SERVICES, ...decisions });
  const replicas = await measured(say, { ...MANY_REPLICAS, ...decisions });
  return [
    ...figuresOf(`simulated, ${MANY_SERVICES.services} services: decision to first call`, {
      delaysMs: services.firstCallDelaysMs,
      goalMs: FIRST_CALL_GOAL_MS,
    }),
    ...figuresOf(
      `simulated, ${MANY_REPLICAS.services * MANY_REPLICAS.replicas} replicas: decision to create`,
      {
        delaysMs: replicas.createDelaysMs,
        goalMs: SCHEDULING_GOAL_MS,
      },
    ),
    ...processFigures(`simulated, ${MANY_REPLICAS.services * MANY_REPLICAS.replicas} replicas`, replicas),
  ];
};

async function measured(say: (line: string) => void, crowd: Crowd): Promise<Report> {
  const child = fork(PROCESS, [JSON.stringify(crowd)], { execArgv: FLAGS });
  const [message] = await Promise.race([once(child, "message"), ended(child)]);
  const report = message as Report;
  const { createDelaysMs, stopDelaysMs, passes, found, asked } = report;
  say(
    `simulated engine, ${crowd.services} services of ${crowd.replicas} replicas, ${1_000 / crowd.everyMs} decisions a second: ` +
      `${createDelaysMs.length} creations and ${stopDelaysMs.length} stops in ${passes} passes; ` +
      `at the end ${found} replicas of ${asked}`,
  );
  if (found !== asked) throw new Error(`${asked} replicas were asked for, and ${found} are there`);
  return report;
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [status] = await once(child, "exit");
  throw new Error(`the measured process ended with ${status} and without a report`);
}

function figuresOf(
  name: string,
  { delaysMs, goalMs }: { readonly delaysMs: readonly number[]; readonly goalMs: number },
): Figure[] {
  const unit = "ms";
  return [
    { name: `${name}, median`, value: percentile(delaysMs, 0.5), unit },
    {
      name: `${name}, 99th percentile`,
      value: percentile(delaysMs, 0.99),
      unit,
      goal: { is: "below", value: goalMs },
    },
  ];
}

function processFigures(name: string, { cpuCores, residentBytes, heapBytes }: Report): Figure[] {
  return [
    { name: `${name}: resident memory`, value: Math.round(residentBytes / 2 ** 20), unit: "MiB" },
    { name: `${name}: heap in use`, value: Math.round(heapBytes / 2 ** 20), unit: "MiB" },
    { name: `${name}: CPU`, value: cpuCores, unit: "cores" },
  ];
}
