import {
  formatBytes,
  formatDuration,
  formatPercent,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
} from "../../core/units.ts";
import type { AlertFacts, FilesystemFacts } from "../facts.ts";
import type { AlertRule, Finding } from "../rule.ts";

/** Nothing can be seen or done while it lasts. */
export const ENGINE_SILENT: AlertRule = {
  name: "EngineSilent",
  meaning: "the engine does not answer: nothing can be seen, repaired or scaled",
  severity: "critical",
  forMs: 30 * SECOND_MS,
  keepFiringForMs: 15 * SECOND_MS,
  noData: "keep",
  look: ({ engine }) => [
    {
      subject: { component: "engine" },
      truth: engine.trouble !== undefined,
      summary: `the engine (${engine.description}) does not answer: ${engine.trouble ?? ""}`,
      advice:
        "What runs goes on running, and nothing scales. Look at the engine's own log, and start it again",
    },
  ],
};

const SILENT_MS = 15 * SECOND_MS;

/** The scaler sees nothing, and holds. */
export const COLLECTOR_SILENT: AlertRule = {
  name: "CollectorSilent",
  meaning: "nothing is heard of the collector: nothing is measured, and no rule can decide",
  severity: "critical",
  forMs: 30 * SECOND_MS,
  keepFiringForMs: 15 * SECOND_MS,
  noData: "keep",
  look: ({ collector: { state, lastBatchAtMs } }, nowMs) => {
    const silentMs = lastBatchAtMs === undefined ? undefined : nowMs - lastBatchAtMs;
    const since = silentMs === undefined ? "since the daemon started" : `for ${formatDuration(silentMs)}`;
    return [
      {
        subject: { component: "collector" },
        truth: state !== "running" || (silentMs !== undefined && silentMs > SILENT_MS),
        summary: `nothing was measured ${since}: the collector is ${state}`,
        advice:
          "Every service keeps its count. The daemon starts the collector again by itself; its log says why it ends",
      },
    ];
  },
};

/** There is time left to do something. */
export const DISK_FILLING: AlertRule = {
  name: "DiskFilling",
  meaning: "a filesystem will be full within a day if it goes on, and more than 60 % of it is used",
  severity: "warning",
  forMs: 5 * MINUTE_MS,
  keepFiringForMs: 10 * MINUTE_MS,
  noData: "keep",
  look: (facts) => ofDisks(facts, (disk) => fillsWithin(disk, 24 * HOUR_MS, 0.4)),
};

const ALMOST_FULL_RATIO = 0.05;

/** There is hardly any time left. */
export const DISK_ALMOST_FULL: AlertRule = {
  name: "DiskAlmostFull",
  meaning: "less than 5 % of a filesystem is available, or it will be full within two hours",
  severity: "critical",
  forMs: MINUTE_MS,
  keepFiringForMs: 5 * MINUTE_MS,
  noData: "keep",
  look: (facts) =>
    ofDisks(facts, (disk) => availableRatio(disk) < ALMOST_FULL_RATIO || fillsWithin(disk, 2 * HOUR_MS, 0.2)),
};

/** Decisions and alerts cannot be kept. */
export const STORE_FAILING: AlertRule = {
  name: "StoreFailing",
  meaning: "the data directory cannot be written to: scaling holds, and alerts are kept in memory only",
  severity: "critical",
  forMs: 5 * SECOND_MS,
  keepFiringForMs: 30 * SECOND_MS,
  noData: "keep",
  look: ({ storeTrouble }) => [
    {
      subject: { component: "store" },
      truth: storeTrouble !== undefined,
      summary: `the data directory cannot be written to: ${storeTrouble ?? ""}`,
      advice: "Make room on its disk, or make it writable: until then nothing is scaled",
    },
  ],
};

/** Somebody who should have been told was not. */
export const NOTIFICATIONS_FAILING: AlertRule = {
  name: "NotificationsFailing",
  meaning: "a channel could not deliver anything for five minutes; told through the others",
  severity: "warning",
  forMs: 5 * MINUTE_MS,
  keepFiringForMs: 0,
  noData: "keep",
  look: ({ channels }) =>
    channels.map(({ name, failingSinceMs, trouble, waiting, lost }) => ({
      subject: { component: "notifications", channel: name },
      truth: failingSinceMs !== undefined,
      summary: `nothing can be delivered through the channel ${name}: ${trouble ?? "no reason given"}; ${waiting} waiting, ${lost} given up`,
      advice: `Look at its settings, then try it: flyball alerts test ${name}`,
    })),
};

function ofDisks(
  facts: AlertFacts,
  truth: (disk: FilesystemFacts) => boolean,
): readonly Finding[] | undefined {
  return facts.filesystems?.map((disk) => ({
    subject: { mountpoint: disk.mountPoint },
    truth: truth(disk),
    summary: diskSentence(disk),
    advice: disk.isOwn
      ? "It holds Flyball's own data directory. flyball gc removes what replicas left behind; docker system df shows the rest"
      : "flyball gc removes what replicas left behind; docker system df shows what images and volumes take",
  }));
}

function diskSentence(disk: FilesystemFacts): string {
  const { mountPoint, availableBytes, fullInMs } = disk;
  const left = `${formatBytes(availableBytes)} (${formatPercent(availableRatio(disk))}) of ${mountPoint} left`;
  return fullInMs === undefined
    ? left
    : `${left}, full in ${formatDuration(fullInMs)} if it goes on like this`;
}

function availableRatio({ availableBytes, sizeBytes }: FilesystemFacts): number {
  return sizeBytes > 0 ? availableBytes / sizeBytes : 1;
}

function fillsWithin(disk: FilesystemFacts, withinMs: number, belowRatio: number): boolean {
  const { fullInMs } = disk;
  return fullInMs !== undefined && fullInMs < withinMs && availableRatio(disk) < belowRatio;
}
