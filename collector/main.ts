import { flushCompileCache } from "node:module";
import { parseArgs } from "node:util";
import { systemClock } from "../core/clock.ts";
import { ERRORS, FlyballError, formatError, isFlyballError } from "../core/errors.ts";
import { connectLink, type LinkClient } from "../core/link.ts";
import type { ReplicaId } from "../core/types.ts";
import type { Batch } from "./batch.ts";
import { encodeBatch } from "./batch-codec.ts";
import { COLLECTOR_LINK, type FromCollector, type FromDaemon, isFromDaemon } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { Host } from "./read/reader.ts";
import { Sampler } from "./sampler.ts";
import { nextTick } from "./schedule.ts";

/**
 * The collector process: `node collector/main.ts --link DIRECTORY --interval MILLISECONDS [--root DIRECTORY] [--cached]`. It
 * lives as long as its link to the daemon, and ends itself after that: starting it again is the daemon's to do.
 */

/** Batches kept while the daemon does not take them. */
const OUTBOX_CAPACITY = 30;
/** A mean over more than this many intervals says nothing about now. */
const MAX_GAP_INTERVALS = 5;

interface Options {
  readonly directory: string;
  readonly intervalMs: number;
  readonly root: string;
  /** All modules come from the compile cache. */
  readonly cached: boolean;
}

/** A list of targets in the form that samples refer to it. */
interface TargetList {
  readonly revision: number;
  readonly positions: ReadonlyMap<ReplicaId, number>;
}

async function main({ directory, intervalMs, root }: Options): Promise<void> {
  const parent = process.ppid;
  // An interrupt at the terminal reaches the whole group: when to end is the daemon's to say.
  process.on("SIGINT", () => {});

  const sampler = new Sampler(new Host(root), systemClock, MAX_GAP_INTERVALS * intervalMs);
  let list: TargetList = { revision: 0, positions: new Map() };
  const outbox = new Outbox<{ batch: Batch; list: TargetList }>(OUTBOX_CAPACITY, (item, dropped) =>
    link.send(encodeBatch(item.batch, item.list.revision, item.list.positions, dropped)),
  );
  const sampleAt = (tick: number): void => {
    if (process.ppid !== parent) process.exit(ERRORS.LINK_BROKEN.exit);
    outbox.put({ batch: sampler.sample(tick), list });
  };
  let begun = false;
  /** At the first list of targets: one that was started again is back at once, not an interval later. */
  const begin = (): void => {
    if (begun) return;
    begun = true;
    const schedule = { startMs: systemClock.monotonicMs(), intervalMs };
    const wait = (lastTick: number): void => {
      const nowMs = systemClock.monotonicMs();
      const { tick, dueMs } = nextTick(schedule, lastTick, nowMs);
      setTimeout(() => {
        sampleAt(tick);
        wait(tick);
      }, dueMs - nowMs);
    };
    sampleAt(0);
    wait(0);
  };
  const link: LinkClient<FromCollector> = await connectLink<FromDaemon, FromCollector>({
    directory,
    name: COLLECTOR_LINK,
    isMessage: isFromDaemon,
    onMessage: ({ revision, targets }) => {
      list = { revision, positions: new Map(targets.map((target, index) => [target.replica, index])) };
      sampler.setTargets(targets);
      begin();
    },
    onDisconnect: (problem) => {
      if (problem !== undefined) process.stderr.write(`${formatError(problem)}\n`);
      process.exit(ERRORS.LINK_BROKEN.exit);
    },
    onDrain: () => outbox.flush(),
  });
  link.send({ type: "hello", pid: process.pid });
}

function readArguments(): Options {
  const { values } = parseArgs({
    options: {
      link: { type: "string" },
      interval: { type: "string", default: "1000" },
      root: { type: "string", default: "/" },
      cached: { type: "boolean", default: false },
    },
  });
  const intervalMs = Number(values.interval);
  if (values.link === undefined)
    throw new FlyballError("CONFIG_INVALID", "expected --link DIRECTORY, got none");
  if (!(intervalMs >= 10 && intervalMs <= 3_600_000)) {
    throw new FlyballError(
      "CONFIG_INVALID",
      `expected --interval between 10 and 3600000 milliseconds, got ${values.interval}`,
    );
  }
  return { directory: values.link, intervalMs, root: values.root, cached: values.cached };
}

/**
 * Stripping the types leaves some 30 MB behind for good. What was stripped is in the compile cache now, so the same
 * process begins again from there, once.
 */
function beginAgainFromCache(): void {
  flushCompileCache();
  const { execPath, execArgv, argv } = process;
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1), "--cached"], process.env);
}

try {
  const options = readArguments();
  if (!options.cached && process.env["NODE_COMPILE_CACHE"] !== undefined) beginAgainFromCache();
  await main(options);
} catch (error) {
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = ERRORS[isFlyballError(error) ? error.code : "INTERNAL"].exit;
}
