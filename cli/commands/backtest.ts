import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type Command, Option } from "commander";
import type { Config } from "../../core/config.ts";
import { FlyballError, messageOf } from "../../core/errors.ts";
import type { History } from "../../core/wire-history.ts";
import {
  type Moment,
  partOfTrace,
  pastSpan,
  readCapacity,
  readMoment,
  readNames,
  readStartDelay,
  renderBacktest,
  warningsOf,
} from "../backtest.ts";
import { connect } from "../connection.ts";
import type { BacktestRequest, ServiceRules } from "../daemon-door.ts";
import { fetchHistory } from "../history.ts";
import type { GlobalFlags, JsonFlag } from "../options.ts";
import { resolveService } from "../service-name.ts";
import type { Terminal } from "../terminal.ts";
import { UNLEARNED_START_MS } from "../verdict.ts";
import type { AddCommand } from "./command.ts";

interface BacktestFlags extends GlobalFlags, JsonFlag {
  readonly trace?: string;
  readonly service?: string;
  readonly labels?: string;
  readonly from?: Moment;
  readonly to?: Moment;
  readonly startDelay?: number;
  readonly capacity?: number | "auto";
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
    .option("--trace <file>", "the load: a CSV file, timestamp_seconds,value")
    .addOption(
      new Option("--service <service>", "the load: what a service of the daemon itself used").conflicts([
        "trace",
        "capacity",
      ]),
    )
    .option("--labels <labels>", "as autoscale.max_cpu=70,autoscale.step=2 (default: the service's own)")
    .option(
      "--from <time>",
      "of a service: an instant, or how long ago; of a trace: since its start",
      readMoment,
    )
    .option("--to <time>", "the same", readMoment)
    .option(
      "--start-delay <duration>",
      "from the order of a replica until it serves (default: learned of the service, else 10s)",
      readStartDelay,
    )
    .option(
      "--capacity <n>",
      "of the trace's unit, what a replica at full CPU does; auto: p99.9 is 16 of them (default: auto)",
      readCapacity,
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
    const request =
      flags.service === undefined
        ? ofTrace(flags, command, at)
        : await ofService(flags, flags.service, terminal);
    const { runBacktest } = await loadDaemonCode();
    const { report, series, plot } = await runBacktest(request);
    if (flags.series !== undefined) writeFile(at(flags.series), series());
    if (flags.plot !== undefined) writeFile(at(flags.plot), [plot()]);
    for (const warning of warningsOf(report)) terminal.note(warning);
    terminal.print(flags.json ? JSON.stringify(report, null, 2) : renderBacktest(report, terminal));
  });
};

function ofTrace(flags: BacktestFlags, command: Command, at: (file: string) => string): BacktestRequest {
  const { trace, labels, from, to, startDelay, capacity, compare } = flags;
  if (trace === undefined) {
    return command.error("error: required option '--trace <file>' or '--service <service>' not specified");
  }
  if (labels === undefined) return command.error("error: required option '--labels <labels>' not specified");
  return {
    trace: { name: basename(trace), text: readTrace(at(trace)) },
    part: partOfTrace(from, to),
    labels,
    startDelayMs: startDelay ?? UNLEARNED_START_MS,
    capacity: capacity ?? "auto",
    compare: compare ?? [],
  };
}

async function ofService(flags: BacktestFlags, word: string, terminal: Terminal): Promise<BacktestRequest> {
  const { labels, from, to, startDelay, compare } = flags;
  const { client, config } = connect(flags, terminal);
  const id = resolveService(word, await client.services());
  const history = await fetchHistory(client, id, pastSpan(from, to, terminal.nowMs()));
  return {
    history,
    rules: rulesFor(history, labels, config.autoscale),
    startDelayMs: startDelay ?? history.startupMs ?? UNLEARNED_START_MS,
    compare: compare ?? [],
  };
}

function rulesFor(
  { service, scaling }: History,
  labels: string | undefined,
  defaults: Config["autoscale"],
): ServiceRules {
  if (labels !== undefined) return { labels, ...(defaults === undefined ? {} : { defaults }) };
  if (scaling !== undefined) return { policy: scaling };
  throw new FlyballError("NOT_SCALABLE", `${service} has no scaling rule: expected --labels to replay`);
}

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
