import { readdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { systemClock } from "../../core/clock.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { LabelRules } from "./label-rules.ts";
import type { FigureName } from "./own-families.ts";
import type { PageFormat } from "./page-format.ts";
import { Pages, type Round } from "./pages.ts";
import { serveMetrics } from "./server.ts";

/**
 * The way in to the exposition. Joined like this:
 *
 *     const host = new Host(root);
 *     using sampler = new Sampler({ host, clock: systemClock, maxGapMs });
 *     using machine = new HostReader({ root, clock: systemClock });           // collector/host/host-reader.ts
 *     await using looks = new SlowLooks({ root, clock: systemClock,           // collector/read/slow-looks.ts
 *       containers: () => discovery.containers.values(),
 *       pidsOf: (id) => sampler.pidsOf(id), note: (id, details) => sampler.note(id, details) });
 *     await using exposition = await createExposition({ listen, labels: labelRules({ … }), version, log });
 *     // on each tick, after the round:
 *     exposition.update({ atMs: batch.readAtMs, containers, measurements: sampler.measurements, host: () => machine.read() });
 *
 * `update` keeps references and does no work: text is made when a scraper asks, in slices beside the sampling.
 * What is in `measurements` and in `containers` is on the page; what is in one of them only is not. A container whose
 * `Discovered` is the same object as before is not looked at again.
 */
export interface Exposition extends AsyncDisposable {
  update(round: Round): void;
  /** The newest round in Prometheus' text, and when it was read; undefined before the first. */
  text(): Promise<{ readonly text: string; readonly atMs: number } | undefined>;
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
}

export interface ExpositionOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly labels: LabelRules;
  readonly version: string;
  readonly log: { warn(fields: object, message: string): void };
  /** Of the engine, where one was asked. */
  readonly engineVersion?: () => string | undefined;
  /** Figures of the other parts, read when a page is written. */
  readonly figures?: () => Readonly<Partial<Record<FigureName, number>>>;
  /** The containers' own metrics as a page of their own, at `/metrics/applications`. */
  readonly applications?: (format: PageFormat) => string;
}

/** Listens at once; pages are empty until the first round. @throws FlyballError PORT_IN_USE, LISTEN_REFUSED */
export async function createExposition(options: ExpositionOptions): Promise<Exposition> {
  const osVersion = readOsVersion();
  let scrapes = 0;
  const startedAtSeconds = Math.round(systemClock.nowMs() - process.uptime() * SECOND_MS) / SECOND_MS;
  const pages = new Pages({
    labels: options.labels,
    log: options.log,
    now: () => systemClock.monotonicMs(),
    figures: () => {
      const { user, system } = process.cpuUsage();
      const { rss, heapUsed } = process.memoryUsage();
      return {
        version: options.version,
        kernelVersion: release(),
        osVersion,
        engineVersion: options.engineVersion?.() ?? "",
        cpuSeconds: (user + system) / MICROSECONDS_PER_SECOND,
        startedAtSeconds,
        residentBytes: rss,
        heapBytes: heapUsed,
        openFiles: countOpenFiles(),
        scrapes,
        others: options.figures?.() ?? {},
      };
    },
  });
  const server = await serveMetrics({
    listen: options.listen,
    pages,
    onScrape: () => {
      scrapes += 1;
    },
    now: () => systemClock.nowMs(),
    ...(options.applications !== undefined && { applications: options.applications }),
  });
  return {
    address: server.address,
    update: (round) => pages.update(round),
    text: async () => {
      using writing = await pages.write("prometheus");
      const { atMs } = writing;
      if (atMs === undefined) return undefined;
      return { text: Buffer.concat([...writing.pieces()]).toString("utf8"), atMs };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const MICROSECONDS_PER_SECOND = 1e6;

/** As `Debian GNU/Linux 12 (bookworm)`; empty where the file is not there. */
function readOsVersion(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/mu.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

const DESCRIPTORS = "/proc/self/fd";

/** Newer kernels give their number as the size of the directory; to list some thousands costs as much as a page. */
function countOpenFiles(): number | undefined {
  try {
    return statSync(DESCRIPTORS).size || readdirSync(DESCRIPTORS).length;
  } catch {
    return undefined;
  }
}
