import type { Batch } from "../../../collector/batch.ts";
import { Series } from "../../../collector/series.ts";
import { ServiceSeries, serviceReading } from "../../../collector/service-series.ts";
import { type Collector, startCollector } from "../../../collector/supervisor.ts";
import { systemClock } from "../../../core/clock.ts";
import { createLog } from "../../../core/log.ts";
import type { Target } from "../../../core/types.ts";
import { HOUR_MS, SECOND_MS } from "../../../core/units.ts";

/**
 * The daemon's side of the stream and nothing else of it, in a process of its own: it starts the collector, takes its
 * batches and keeps them as the daemon does, behind an hour of readings that it is given at the start.
 * `fork(receiving-daemon.ts, [DATA_DIRECTORY])`, then an `Order`, and again one for each `Report` that is wanted.
 */
export type Order =
  | {
      readonly kind: "read";
      readonly targets: readonly Target[];
      /** Where the collector offers its page. */
      readonly metrics: { readonly host: string; readonly port: number };
      readonly dockerHost: string;
    }
  | { readonly kind: "report" };

export interface Report {
  readonly collectorPid: number;
  readonly batches: number;
  /** How long after its due time each sample was read, since the last report. */
  readonly lateMs: readonly number[];
  readonly missed: number;
  readonly droppedBatches: number;
  readonly seriesBytes: number;
}

const series = new Series();
const services = new ServiceSeries();
let serviceOf = new Map<string, string>();
let ticks: { readonly tick: number; readonly readAtMs: readonly number[] }[] = [];
let missed = 0;

let collector: Collector | undefined;

async function begin({ targets, metrics, dockerHost }: Order & { kind: "read" }): Promise<void> {
  serviceOf = new Map(targets.map(({ replica, service }) => [replica, service]));
  fillAnHour(targets);
  collector = await startCollector({
    dataDirectory: process.argv[2] ?? "",
    intervalMs: SECOND_MS,
    clock: systemClock,
    log: createLog("warn"),
    metrics,
    dockerHost,
    onBatch: keep,
  });
  collector.setTargets(targets);
}

function keep(batch: Batch): void {
  for (const sample of batch.samples) series.append(sample);
  for (const [service, samples] of Map.groupBy(batch.samples, ({ replica }) => serviceOf.get(replica))) {
    const reading = serviceReading(samples, { cpuCores: 0.5, memoryBytes: 64 * 1024 * 1024 });
    if (service !== undefined && reading !== undefined) services.append(service, batch.readAtMs, reading);
  }
  missed += batch.missed.length;
  ticks.push({ tick: batch.tick, readAtMs: batch.samples.map(({ readAtMs }) => readAtMs) });
}

process.on("message", (order: Order) => {
  if (order.kind === "read") {
    void begin(order);
    return;
  }
  process.send?.({
    collectorPid: collector?.pid ?? 0,
    batches: ticks.length,
    lateMs: lateness(),
    missed,
    droppedBatches: collector?.droppedBatches ?? 0,
    seriesBytes: series.bytes,
  } satisfies Report);
  ticks = [];
  missed = 0;
});

process.on("disconnect", async () => {
  await collector?.[Symbol.asyncDispose]();
  process.exit(0);
});

function fillAnHour(targets: readonly Target[]): void {
  const nowMs = Date.now();
  for (const { replica } of targets) {
    for (let atMs = nowMs - HOUR_MS; atMs < nowMs; atMs += SECOND_MS) {
      series.append({ replica, readAtMs: atMs, cpuCores: 0.25, memoryWorkingSetBytes: 1e6 });
    }
  }
}

/** Ticks are due on a grid; the one that began soonest after its own place tells where the grid lies. */
function lateness(): number[] {
  const starts = ticks.flatMap(({ tick, readAtMs }) =>
    readAtMs.length === 0 ? [] : [Math.min(...readAtMs) - tick * SECOND_MS],
  );
  const gridMs = Math.min(...starts);
  return ticks.flatMap(({ tick, readAtMs }) => readAtMs.map((atMs) => atMs - gridMs - tick * SECOND_MS));
}
