import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Bench, percentile } from "./figure.ts";
import type { Report } from "./scaler-load-process.ts";

const PROCESS = fileURLToPath(new URL("scaler-load-process.ts", import.meta.url));
/** As the flyball command is started: see the first line of cli/main.ts. */
const FLAGS = ["--max-semi-space-size=1"];
const SERVICES = 10_000;
const WARM_UP_SECONDS = 60;
const MEASURED_SECONDS = 300;
const QUICK = { services: 500, warmUpSeconds: 20, measuredSeconds: 20 };
const GOAL_CORES = 1;
const GOAL_MEBIBYTES = 300;
const GOAL_BYTES = 500;
const HOUR_SECONDS = 3_600;

/** What it takes to evaluate very many services of three replicas each second, and to keep every evaluation. */
export const benchScalerLoad: Bench = async (say, { quick }) => {
  const full = { services: SERVICES, warmUpSeconds: WARM_UP_SECONDS, measuredSeconds: MEASURED_SECONDS };
  const { services, warmUpSeconds, measuredSeconds } = quick ? QUICK : full;
  say(`${services} services of three replicas and more, ${measuredSeconds} simulated seconds`);
  const words = [services, warmUpSeconds, measuredSeconds].map(String);
  const child = fork(PROCESS, words, { execArgv: FLAGS });
  const [message] = await Promise.race([once(child, "message"), ended(child)]);
  const { cpuSeconds, peakBytes, storedBytes, changes, tookMs } = message as Report;
  const evaluations = services * measuredSeconds;
  return [
    {
      name: "CPU for each second",
      value: rounded(cpuSeconds / measuredSeconds),
      unit: "cores",
      goal: { is: "at most", value: GOAL_CORES },
    },
    {
      name: "resident memory, peak",
      value: Math.round(peakBytes / 2 ** 20),
      unit: "MiB",
      goal: { is: "at most", value: GOAL_MEBIBYTES },
    },
    {
      name: "stored for each evaluation",
      value: Math.round(storedBytes / evaluations),
      unit: "bytes",
      goal: { is: "at most", value: GOAL_BYTES },
    },
    { name: "one pass, median", value: Math.round(percentile(tookMs, 0.5)), unit: "ms" },
    { name: "one pass, 99th percentile", value: Math.round(percentile(tookMs, 0.99)), unit: "ms" },
    {
      name: "changes of a service",
      value: rounded((changes * HOUR_SECONDS) / evaluations),
      unit: "an hour",
    },
  ];
};

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [status] = await once(child, "exit");
  throw new Error(`the measured process ended with ${status} and without a report`);
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
