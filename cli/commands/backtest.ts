import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { FlyballError, messageOf } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import { readCapacity, readNames, readStartDelay, renderBacktest, traceWarning } from "../backtest.ts";
import type { GlobalFlags, JsonFlag } from "../options.ts";
import type { AddCommand } from "./command.ts";

interface BacktestFlags extends GlobalFlags, JsonFlag {
  readonly trace: string;
  readonly labels: string;
  readonly startDelay: number;
  readonly capacity: number | "auto";
  readonly compare?: readonly string[];
  readonly series?: string;
  readonly plot?: string;
}

export const addBacktest: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("backtest")
    .description(
      "replay a recorded load through the live decision, and score what the labels would have done",
    )
    .requiredOption("--trace <file>", "a CSV file: timestamp_seconds,value")
    .requiredOption("--labels <labels>", "as autoscale.max_cpu=70,autoscale.step=2")
    .option(
      "--start-delay <duration>",
      "from the order of a replica until it serves",
      readStartDelay,
      10 * SECOND_MS,
    )
    .option(
      "--capacity <n>",
      "of the trace's unit, what a replica at full CPU does; auto: p99.9 is 16 of them",
      readCapacity,
      "auto",
    )
    .option(
      "--compare <policies>",
      "of hpa, knative, aliyun, aws, static, oracle; with commas between",
      readNames,
    )
    .option("--series <file>", "write t,demand,ordered,serving as CSV")
    .option("--plot <file>", "write a picture as SVG")
    .option("--json", "print the scores as JSON");
  command.action(async () => {
    const flags = command.optsWithGlobals<BacktestFlags>();
    const at = (file: string) => resolve(terminal.workingDirectory, file);
    const { runBacktest } = await loadDaemonCode();
    const { report, series, plot } = await runBacktest({
      trace: { name: basename(flags.trace), text: readTrace(at(flags.trace)) },
      labels: flags.labels,
      startDelayMs: flags.startDelay,
      capacity: flags.capacity,
      compare: flags.compare ?? [],
    });
    if (flags.series !== undefined) writeFile(at(flags.series), series());
    if (flags.plot !== undefined) writeFile(at(flags.plot), [plot()]);
    const warning = traceWarning(report);
    if (warning !== undefined) terminal.note(warning);
    terminal.print(flags.json ? JSON.stringify(report, null, 2) : renderBacktest(report, terminal));
  });
};

function readTrace(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `the trace cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function writeFile(file: string, chunks: Iterable<string>): void {
  try {
    const descriptor = openSync(file, "w");
    try {
      for (const chunk of chunks) writeFileSync(descriptor, chunk);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `${file} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
