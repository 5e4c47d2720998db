import { writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import Docker from "dockerode";
import { messageOf } from "../../core/errors.ts";
import { AlertWitness } from "./alert-witness.ts";
import { calibrate, readLimitCores } from "./calibrate.ts";
import { FlyballClient } from "./client.ts";
import { DaemonProcess } from "./daemon-process.ts";
import { assertNoProject, dockerAnswers, type EngineName } from "./engine-choice.ts";
import { ensureImage, IMAGE } from "./image.ts";
import { LEAST_TOTAL_MS } from "./phases.ts";
import { PlainLines } from "./plain.ts";
import type { DemoReport } from "./report.ts";
import { PROJECT, runDemo } from "./run.ts";
import { Screen } from "./screen.ts";
import { loadPlanOf, summaryOf } from "./summary.ts";

const SHOP = resolve(import.meta.dirname, "../shop");
const COMPOSE_FILE = join(SHOP, "compose.yaml");
/** With start and clean-up the demo stays below a minute and a half. */
const DEFAULT_SECONDS = 75;
const LEAST_SECONDS = LEAST_TOTAL_MS / 1_000;
const READY_TIMEOUT_MS = 15_000;
const INTERRUPTED = 130;

const USAGE = `npm run demo -- [options]

Starts Flyball on examples/shop, puts real load on it, and shows how it scales out and in again.

  --engine process|docker  where the replicas run (default: docker when an engine answers, else process)
  --docker-host HOST       the Docker Engine to use, as unix:///path/docker.sock (default: DOCKER_HOST)
  --seconds N              at most so long under load, at least ${LEAST_SECONDS} (default: ${DEFAULT_SECONDS})
  --report FILE            where the figures go (default: demo-report.json)
  --keep                   leave Flyball and the shop running
`;

interface Options {
  readonly engine?: EngineName;
  readonly dockerHost?: string;
  readonly seconds: number;
  readonly reportFile: string;
  readonly keep: boolean;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Undefined: help was asked for. @throws Error that names the option and what was expected */
function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      engine: { type: "string" },
      "docker-host": { type: "string" },
      seconds: { type: "string" },
      report: { type: "string" },
      keep: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return undefined;
  const { engine } = values;
  if (engine !== undefined && engine !== "process" && engine !== "docker") {
    throw new Error(`--engine: expected process or docker, got "${engine}"`);
  }
  const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
  if (!(seconds >= LEAST_SECONDS)) {
    throw new Error(`--seconds: expected a number of at least ${LEAST_SECONDS}, got "${values.seconds}"`);
  }
  const dockerHost = values["docker-host"] ?? process.env["DOCKER_HOST"];
  return {
    ...(engine === undefined ? {} : { engine }),
    ...(dockerHost ? { dockerHost } : {}),
    seconds,
    reportFile: values.report ?? "demo-report.json",
    keep: values.keep ?? false,
  };
}

async function demo(options: Options, signal: AbortSignal): Promise<boolean> {
  // dockerode reads the host from the environment, by the same rules as `docker` does.
  if (options.dockerHost !== undefined) process.env["DOCKER_HOST"] = options.dockerHost;
  const docker = new Docker();
  const engine = options.engine ?? ((await dockerAnswers(docker)) ? "docker" : "process");
  say(`Engine: ${engine}`);
  if (engine === "docker") {
    await assertNoProject(docker, PROJECT);
    if (await ensureImage(docker, SHOP)) say(`Made the image ${IMAGE}`);
  }
  const load = await calibrate(join(SHOP, "web.ts"), readLimitCores(COMPOSE_FILE));
  say(`Load: ${loadPlanOf(load)}`);

  await using witness = await AlertWitness.start();
  const { dockerHost } = options;
  const daemon = await DaemonProcess.start({
    engine,
    composeFile: COMPOSE_FILE,
    config: witness.config,
    ...(dockerHost === undefined ? {} : { dockerHost }),
  });
  const client = new FlyballClient(daemon.url);
  let leave = false;
  try {
    await untilReady(client, daemon, signal);
    say(`Console: ${daemon.url}/`);
    await witness.listen(daemon.url);
    const view = process.stdout.isTTY ? new Screen(process.stdout, process.env) : new PlainLines(say);
    let report: DemoReport;
    try {
      const totalMs = options.seconds * 1_000;
      report = await runDemo({
        engine,
        client,
        daemon,
        witness,
        load,
        totalMs,
        signal,
        onState: (state) => view.draw(state),
      });
    } finally {
      view.close();
    }
    if (signal.aborted) return false;
    writeFileSync(options.reportFile, `${JSON.stringify(report, null, 2)}\n`);
    say(`\n${summaryOf(report).join("\n")}\nreport      ${relative(".", options.reportFile)}`);
    if (!report.closed) say(`\nThe daemon's last lines:\n${daemon.lastLines(20)}`);
    leave = options.keep;
    return report.closed;
  } finally {
    if (leave) sayHowToStop(daemon);
    else {
      say("Removing the shop and stopping Flyball");
      await daemon.remove(PROJECT);
    }
  }
}

async function untilReady(client: FlyballClient, daemon: DaemonProcess, signal: AbortSignal): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  while (!signal.aborted) {
    daemon.assertRunning();
    if (await client.isReady()) return;
    if (Date.now() > deadlineMs) {
      throw new Error(
        `the daemon was not ready within ${READY_TIMEOUT_MS / 1_000} s\n${daemon.lastLines(15)}`,
      );
    }
    await sleep(50);
  }
}

function sayHowToStop(daemon: DaemonProcess): void {
  daemon.leave();
  say(`
Flyball goes on at ${daemon.url} (process ${daemon.pid}, its files in ${daemon.directory}).
  look: npm run flyball -- ps --address ${daemon.url}
  stop: npm run flyball -- down -p ${PROJECT} --address ${daemon.url} && kill ${daemon.pid}`);
}

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(name, () => {
    say("\nStopping; once more to stop without cleaning up.");
    interrupted.abort();
  });
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) say(USAGE);
  else if (!(await demo(options, interrupted.signal))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
if (interrupted.signal.aborted) process.exitCode = INTERRUPTED;
