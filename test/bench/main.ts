import { messageOf } from "../../core/errors.ts";
import { benchCollector } from "./collector.ts";
import { benchConsole } from "./console.ts";
import { benchDaemon } from "./daemon.ts";
import { benchDecide } from "./decide.ts";
import type { Bench } from "./figure.ts";
import { benchLoop } from "./loop.ts";
import { benchOrchestrator } from "./orchestrator.ts";
import { benchReconcile } from "./reconcile.ts";
import { jsonLine, tableLines, thisMachine } from "./report.ts";
import { benchScaler } from "./scaler.ts";
import { benchScalerLoad } from "./scaler-load.ts";
import { benchStream } from "./stream.ts";
import { benchTraffic } from "./traffic.ts";

/**
 * `npm run bench -- NAME [--quick]`: measures, prints a table for people and, last, one JSON line for programs. A goal that is
 * missed is a result and no failure: the exit status is 0.
 */
const BENCHES: Readonly<Record<string, Bench>> = {
  decide: benchDecide,
  daemon: benchDaemon,
  collector: benchCollector,
  console: benchConsole,
  loop: benchLoop,
  orchestrator: benchOrchestrator,
  reconcile: benchReconcile,
  scaler: benchScaler,
  "scaler-load": benchScalerLoad,
  stream: benchStream,
  traffic: benchTraffic,
};

const USAGE_EXIT = 2;

async function main([name, ...words]: readonly string[]): Promise<void> {
  const bench = name === undefined || !Object.hasOwn(BENCHES, name) ? undefined : BENCHES[name];
  if (name === undefined || bench === undefined) {
    const names = Object.keys(BENCHES).join(", ");
    process.stderr.write(`expected the name of a bench (${names}), got ${name ?? "nothing"}\n`);
    process.exitCode = USAGE_EXIT;
    return;
  }
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const machine = thisMachine();
  print(`${name} on ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  const figures = await bench(print, { quick: words.includes("--quick") });
  for (const line of ["", ...tableLines(figures), "", jsonLine(name, machine, figures)]) print(line);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
