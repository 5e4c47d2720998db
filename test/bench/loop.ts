import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { dockerHostFor, labEngines } from "../lab/engines.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";

const DEMO = resolve(import.meta.dirname, "../../examples/demo/main.ts");
const RUNS = 10;
const QUICK_RUNS = 2;
const DECISION_GOAL_MS = 3_000;
const SERVING_GOAL_MS = 5_000;

/** What a demo writes down of itself, as far as it is read here. Instants are milliseconds since 1970 UTC. */
interface Report {
  readonly closed: boolean;
  readonly loadStepAt: number;
  readonly decisionAt?: number | null;
  readonly firstReplicaServingAt?: number | null;
  readonly requests: number;
  readonly failedRequests: number;
}

/** How soon a load step is answered: whole demo runs, on the process engine and on every engine of the lab. */
export const benchLoop: Bench = async (say, { quick }) => {
  const engines = [
    { name: "process", flags: ["--engine", "process"] },
    ...(await labEngines()).map((lab) => ({
      name: `docker ${lab.name}`,
      flags: ["--engine", "docker", "--docker-host", dockerHostFor(lab)],
    })),
  ];
  if (engines.length === 1) say("no Docker engine: run `npm run lab -- up` to have them measured as well");
  const figures: Figure[] = [];
  for (const { name, flags } of engines) {
    const reports: Report[] = [];
    for (let run = 0; run < (quick ? QUICK_RUNS : RUNS); run += 1) {
      const report = await demo(flags);
      if (report !== undefined) reports.push(report);
      say(`${name}, run ${run + 1}: ${report === undefined ? "gave no report" : lineOf(report)}`);
    }
    figures.push(...figuresOf(name, reports));
  }
  return figures;
};

async function demo(flags: readonly string[]): Promise<Report | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-loop-"));
  const file = join(directory, "report.json");
  try {
    const child = spawn(process.execPath, [DEMO, ...flags, "--report", file], { stdio: "ignore" });
    await once(child, "exit");
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function lineOf(report: Report): string {
  const after = (atMs: number | null | undefined) =>
    atMs == null ? "never" : `${Math.round(atMs - report.loadStepAt)} ms`;
  const { requests, failedRequests, closed } = report;
  return `decision ${after(report.decisionAt)}, first new replica ${after(report.firstReplicaServingAt)}, ${failedRequests} of ${requests} failed${closed ? "" : ", not closed"}`;
}

function figuresOf(engine: string, reports: readonly Report[]): Figure[] {
  const sinceStep = (read: (report: Report) => number | null | undefined) =>
    reports.map((report) => (read(report) ?? Number.POSITIVE_INFINITY) - report.loadStepAt);
  const decisions = sinceStep((report) => report.decisionAt);
  const serving = sinceStep((report) => report.firstReplicaServingAt);
  const sum = (read: (report: Report) => number) =>
    reports.reduce((total, report) => total + read(report), 0);
  const ms = (name: string, value: number, goal?: number): Figure => ({
    name: `${engine}: ${name}`,
    value: Math.round(value),
    unit: "ms",
    ...(goal === undefined ? {} : { goal: { is: "at most", value: goal } }),
  });
  return [
    ms("load step to decision, p50", percentile(decisions, 0.5)),
    ms("load step to decision, p95", percentile(decisions, 0.95), DECISION_GOAL_MS),
    ms("load step to first new replica serving, p50", percentile(serving, 0.5)),
    ms("load step to first new replica serving, p95", percentile(serving, 0.95), SERVING_GOAL_MS),
    {
      name: `${engine}: runs that closed the loop`,
      value: reports.filter(({ closed }) => closed).length,
      unit: "runs",
    },
    { name: `${engine}: requests`, value: sum(({ requests }) => requests), unit: "requests" },
    {
      name: `${engine}: failed requests`,
      value: sum(({ failedRequests }) => failedRequests),
      unit: "requests",
      goal: { is: "at most", value: 0 },
    },
  ];
}
