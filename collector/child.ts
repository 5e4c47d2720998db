import { systemClock } from "../core/clock.ts";
import { ERRORS, formatError } from "../core/errors.ts";
import { connectLink, type LinkClient } from "../core/link.ts";
import type { ReplicaId } from "../core/types.ts";
import type { Batch } from "./batch.ts";
import { encodeBatch } from "./batch-codec.ts";
import { answerClock } from "./clock-offset.ts";
import { joinParts } from "./join.ts";
import { COLLECTOR_LINK, type FromCollector, type FromDaemon, isFromDaemon } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import type { CollectorSettings } from "./settings.ts";

/** Batches kept while the daemon does not take them. */
const OUTBOX_CAPACITY = 30;

/** A list of targets in the form that samples refer to it. */
interface TargetList {
  readonly revision: number;
  readonly positions: ReadonlyMap<ReplicaId, number>;
}

/**
 * The collector of a daemon: reads what it is told to, and sends it. It lives as long as its link, and ends itself after
 * that: starting it again is the daemon's to do.
 */
export async function runChild(settings: CollectorSettings, linkDirectory: string): Promise<void> {
  const parent = process.ppid;
  // An interrupt at the terminal reaches the whole group: when to end is the daemon's to say.
  process.on("SIGINT", () => {});

  let list: TargetList = { revision: 0, positions: new Map() };
  const outbox = new Outbox<{ batch: Batch; list: TargetList }>(OUTBOX_CAPACITY, (item, dropped) =>
    link.send(encodeBatch(item.batch, item.list.revision, item.list.positions, dropped)),
  );
  const joined = await joinParts(settings, {
    needsPage: false,
    onBatch: (batch) => {
      if (process.ppid !== parent) process.exit(ERRORS.LINK_BROKEN.exit);
      outbox.put({ batch, list });
    },
    figures: () => ({ dropped_batches_total: outbox.dropped }),
  });
  const link: LinkClient<FromCollector> = await connectLink<FromDaemon, FromCollector>({
    directory: linkDirectory,
    name: COLLECTOR_LINK,
    isMessage: isFromDaemon,
    onMessage: (message) => {
      if (message.type === "clock") {
        link.send(answerClock(message, systemClock.nowMs()));
        return;
      }
      const { revision, targets } = message;
      list = { revision, positions: new Map(targets.map((target, index) => [target.replica, index])) };
      joined.setTargets(targets);
      // One that was started again is back at once, not an interval later.
      joined.begin();
    },
    onDisconnect: (problem) => {
      if (problem !== undefined) process.stderr.write(`${formatError(problem)}\n`);
      process.exit(ERRORS.LINK_BROKEN.exit);
    },
    onDrain: () => outbox.flush(),
  });
  link.send({ type: "hello", pid: process.pid });
}
