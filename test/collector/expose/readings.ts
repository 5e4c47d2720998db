import { fileURLToPath } from "node:url";
import type { Discovered } from "../../../collector/discover/discovered.ts";
import { type LabelSettings, labelRules } from "../../../collector/expose/label-rules.ts";
import type { PageFormat } from "../../../collector/expose/page-format.ts";
import { type GivenFigures, Pages, type Round } from "../../../collector/expose/pages.ts";
import { Measurement } from "../../../collector/read/measurement.ts";
import { Host, openReader } from "../../../collector/read/reader.ts";

export const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";

export const recordedRoot = fileURLToPath(new URL("../fixtures/v2-systemd", import.meta.url));

export function discovered(overrides: Partial<Discovered> = {}): Discovered {
  return {
    id: ID,
    kind: "container",
    pid: 4242,
    name: "shop-web-1",
    image: "shop/web:1.4",
    labels: {},
    createdAtMs: 1_700_000_000_000,
    startedAtMs: 1_700_000_001_500,
    restarts: 2,
    health: "healthy",
    network: "own",
    limits: {},
    volumes: [],
    ...overrides,
  };
}

/** The recorded container as it is read, with what is looked at seldom. */
export function recordedMeasurement(): Measurement {
  using reader = openReader({ id: ID, kind: "container", pid: 4242 }, new Host(recordedRoot));
  reader.note({
    processes: 3,
    openFiles: 40,
    sockets: 7,
    openFilesLimit: 1_024,
    tasks: { running: 1, sleeping: 10, stopped: 0, uninterruptible: 1 },
    runningThreads: 1.25,
    filesystems: [{ device: "/dev/vda", usageBytes: 8_192, sizeBytes: 1e9, inodes: 1_000, freeInodes: 900 }],
    volumes: [{ volume: "data", target: "/var/lib/data", usageBytes: 4_096 }],
  });
  return reader.read();
}

export function measurement(values: Partial<Measurement> = {}): Measurement {
  return Object.assign(new Measurement(), values);
}

/** A round of containers and what was measured of them; one without a measurement was not read. */
export function round(
  entries: readonly (readonly [Discovered, Measurement?])[],
  { atMs = 1_700_000_100_000, ...rest }: Partial<Round> = {},
): Round {
  return {
    atMs,
    containers: new Map(entries.map(([container]) => [container.id, container])),
    measurements: new Map(
      entries.flatMap(([{ id }, values]) => (values === undefined ? [] : [[id, values]])),
    ),
    host: undefined,
    ...rest,
  };
}

const FIGURES: GivenFigures = {
  version: "1.2.3",
  kernelVersion: "6.1.0",
  osVersion: 'Some "Linux"',
  engineVersion: "26.1.5",
  cpuSeconds: 1.5,
  startedAtSeconds: 1_700_000_000,
  residentBytes: 80_000_000,
  heapBytes: 20_000_000,
  openFiles: 30,
  scrapes: 1,
  others: { samples_total: 100 },
};

export function pagesOf(settings: LabelSettings = {}, warnings: object[] = []): Pages {
  return new Pages({
    labels: labelRules(settings),
    log: { warn: (fields) => warnings.push(fields) },
    figures: () => FIGURES,
    now: () => 0,
  });
}

export async function pageOf(pages: Pages, format: PageFormat = "prometheus"): Promise<Buffer> {
  using writing = await pages.write(format);
  return Buffer.concat([...writing.pieces()]);
}

/** The lines of containers and of the machine in a page, without comments and the collector's own. */
export function seriesOf(page: Buffer): string[] {
  return page
    .toString("utf8")
    .split("\n")
    .filter(
      (line) =>
        /^(?:container_|flyball_container_|machine_|node_)/u.test(line) &&
        !line.startsWith("container_scrape"),
    );
}
