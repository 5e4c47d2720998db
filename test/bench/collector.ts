import { setTimeout as sleep } from "node:timers/promises";
import { SECOND_MS } from "../../core/units.ts";
import { FlyballAgent } from "../lab/agent.ts";
import { Cadvisor } from "./collector/cadvisor.ts";
import { Fleet } from "./collector/fleet.ts";
import { getPage, samplesIn } from "./collector/pages.ts";
import { cpuCoresOver, residentBytes } from "./collector/process-cost.ts";
import { Floor, kernelFilesOf, Reading } from "./collector/reading.ts";
import { type Bench, type Figure, type Goal, percentile } from "./figure.ts";

const MB = 1e6;

interface Extent {
  readonly sizes: readonly number[];
  /** How long CPU is watched. */
  readonly windowMs: number;
  /** Before it: caches fill, code is compiled. */
  readonly warmMs: number;
  readonly scrapes: number;
  /** Containers started and ended while the page is watched. */
  readonly changes: number;
}

const WHOLE: Extent = { sizes: [50, 200, 1_000], windowMs: 30_000, warmMs: 10_000, scrapes: 20, changes: 10 };
const QUICK: Extent = { sizes: [20], windowMs: 6_000, warmMs: 3_000, scrapes: 10, changes: 2 };
const SCRAPE_EVERY_MS = 15_000;
const LOOK_EVERY_MS = 20;
const CHANGE_PATIENCE_MS = 30_000;

/** What reading costs has its goals here. */
const GOAL_SIZE = 200;
/** The goals that are for one size only. */
const LATE_GOALS_MS: Readonly<Record<number, number>> = { 200: 50, 1000: 150 };
const MEMORY_GOALS_MB: Readonly<Record<number, number>> = { 200: 110, 1000: 350 };

/**
 * What reading containers once a second costs, beside the same reading without a thought (the floor) and beside
 * cAdvisor, where `CADVISOR` names its binary. All of them look at the same containers, one after the other.
 */
export const benchCollector: Bench = async (say, { quick }) => {
  const extent = quick ? QUICK : WHOLE;
  await using fleet = await Fleet.start(say);
  const figures: Figure[] = [];
  for (const size of extent.sizes) {
    await fleet.growTo(size);
    const ours = await measureOurs(fleet, extent);
    const floorMicroseconds = await measureFloor(ours.files, size, extent);
    const theirs = await measureCadvisor(fleet, extent);
    figures.push(...comparison(size, ours, floorMicroseconds, theirs));
  }
  figures.push(...(await measureChanges(fleet, extent)));
  return figures;
};

interface Pages {
  readonly plainMs: readonly number[];
  readonly gzipMs: readonly number[];
  readonly samples: number;
  readonly bytes: number;
}

interface Ours {
  readonly cpuMicroseconds: number;
  readonly collectorMicroseconds: number;
  readonly files: readonly string[];
  readonly pages: Pages;
  readonly lateMs: readonly number[];
  readonly missed: number;
  readonly collectorBytes: number;
  readonly seriesBytes: number;
}

async function measureOurs(fleet: Fleet, extent: Extent): Promise<Ours> {
  const size = fleet.containers.length;
  await using reading = await Reading.start(fleet);
  await reading.answers();
  // From before the window on: the first page is laid out whole, and no window should hold more scrapes than its share.
  const stopScraping = scrapeEvery(reading.url, SCRAPE_EVERY_MS);
  await sleep(extent.warmMs);
  const { collectorPid } = await reading.report();
  const pids = [reading.daemonPid, collectorPid];
  const [cores, collectorCores] = await Promise.all([
    cpuCoresOver(pids, extent.windowMs),
    cpuCoresOver([collectorPid], extent.windowMs),
  ]);
  stopScraping();
  await reading.report();
  const pages = await measurePages(reading.url, extent.scrapes);
  // A scraper that asks as often as is read.
  const stopOften = scrapeEvery(reading.url, SECOND_MS);
  await sleep(extent.windowMs / 2);
  stopOften();
  const { lateMs, missed, seriesBytes } = await reading.report();
  return {
    cpuMicroseconds: (cores * 1e6) / size,
    collectorMicroseconds: (collectorCores * 1e6) / size,
    files: kernelFilesOf(collectorPid),
    pages,
    lateMs,
    missed,
    collectorBytes: residentBytes(collectorPid),
    seriesBytes,
  };
}

async function measureFloor(files: readonly string[], size: number, extent: Extent): Promise<number> {
  await using floor = await Floor.start(files);
  await sleep(extent.warmMs / 2);
  return ((await cpuCoresOver([floor.pid], extent.windowMs / 2)) * 1e6) / size;
}

interface Theirs {
  /** Per container and second. */
  readonly cpuMicroseconds: number;
  /** Of a container: it may take fewer than it was asked for, and each costs the same. */
  readonly samplesPerSecond: number;
  readonly pages: Pages;
  readonly bytes: number;
}

async function measureCadvisor(fleet: Fleet, extent: Extent): Promise<Theirs | undefined> {
  const binary = process.env["CADVISOR"];
  if (binary === undefined || binary === "") return undefined;
  await using cadvisor = await Cadvisor.start(binary, fleet.socketPath);
  const stopScraping = scrapeEvery(cadvisor.url, SCRAPE_EVERY_MS);
  await sleep(extent.warmMs);
  const cores = await cpuCoresOver([cadvisor.pid], extent.windowMs);
  stopScraping();
  return {
    cpuMicroseconds: (cores * 1e6) / fleet.containers.length,
    samplesPerSecond: await cadvisor.samplesPerSecond(),
    pages: await measurePages(cadvisor.url, Math.ceil(extent.scrapes / 3)),
    bytes: residentBytes(cadvisor.pid),
  };
}

function figureAt(size: number) {
  return (name: string, value: number, unit: string, goal?: Goal): Figure => ({
    name: `${size} containers: ${name}`,
    value,
    unit,
    ...(goal === undefined ? {} : { goal }),
  });
}

function comparison(
  size: number,
  ours: Ours,
  floorMicroseconds: number,
  theirs: Theirs | undefined,
): Figure[] {
  const figure = figureAt(size);
  const lateGoal = LATE_GOALS_MS[size];
  const memoryGoal = MEMORY_GOALS_MB[size];
  const plainMs = percentile(ours.pages.plainMs, 0.5);
  return [
    // One a second, as "readings missed" shows.
    figure("CPU per container-sample, collector and receiver", ours.cpuMicroseconds, "µs"),
    figure("of it, the collector", ours.collectorMicroseconds, "µs"),
    // The collector leaves out what cannot have moved, and these containers do nothing for four seconds of five.
    figure("the floor: the same files, all of them each second, read raw from Node", floorMicroseconds, "µs"),
    figure(
      "times the floor",
      ours.cpuMicroseconds / floorMicroseconds,
      "x",
      size === GOAL_SIZE ? { is: "at most", value: 3 } : undefined,
    ),
    figure("files kept open per container", ours.files.length / size, "files"),
    figure("GET /metrics, plain, p50", plainMs, "ms"),
    figure("GET /metrics, plain, p95", percentile(ours.pages.plainMs, 0.95), "ms"),
    figure("GET /metrics, gzip, p50", percentile(ours.pages.gzipMs, 0.5), "ms"),
    figure("GET /metrics, gzip, p95", percentile(ours.pages.gzipMs, 0.95), "ms"),
    figure("samples on the page", ours.pages.samples, ""),
    figure("page", ours.pages.bytes / MB, "MB"),
    figure(
      "rendered and fetched",
      (ours.pages.samples * 1_000) / plainMs,
      "samples/s",
      size >= GOAL_SIZE ? { is: "at least", value: 1e6 } : undefined,
    ),
    figure("sample late, scraped each second, p50", percentile(ours.lateMs, 0.5), "ms"),
    figure(
      "sample late, scraped each second, p99",
      percentile(ours.lateMs, 0.99),
      "ms",
      lateGoal === undefined ? undefined : { is: "below", value: lateGoal },
    ),
    figure("readings missed", ours.missed, ""),
    figure("collector resident", ours.collectorBytes / MB, "MB"),
    figure(
      "an hour of readings, in the receiver",
      ours.seriesBytes / MB,
      "MB",
      size === 1_000 ? { is: "at most", value: 300 } : undefined,
    ),
    figure(
      "both",
      (ours.collectorBytes + ours.seriesBytes) / MB,
      "MB",
      memoryGoal === undefined ? undefined : { is: "at most", value: memoryGoal },
    ),
    ...(theirs === undefined ? [] : besideCadvisor(size, ours, theirs)),
  ];
}

function besideCadvisor(size: number, ours: Ours, theirs: Theirs): Figure[] {
  const figure = figureAt(size);
  const sampleMicroseconds = theirs.cpuMicroseconds / theirs.samplesPerSecond;
  return [
    figure("cAdvisor: CPU per container and second", theirs.cpuMicroseconds, "µs"),
    figure("cAdvisor: samples per container and second", theirs.samplesPerSecond, ""),
    figure("cAdvisor: CPU per container-sample", sampleMicroseconds, "µs"),
    figure(
      "cAdvisor's CPU per container-sample, in ours",
      sampleMicroseconds / ours.cpuMicroseconds,
      "x",
      size === GOAL_SIZE ? { is: "at least", value: 15 } : undefined,
    ),
    figure("cAdvisor: GET /metrics, plain, p50", percentile(theirs.pages.plainMs, 0.5), "ms"),
    figure("cAdvisor: GET /metrics, gzip, p50", percentile(theirs.pages.gzipMs, 0.5), "ms"),
    figure(
      "cAdvisor's GET, gzip, in ours",
      percentile(theirs.pages.gzipMs, 0.5) / percentile(ours.pages.gzipMs, 0.5),
      "x",
      size >= GOAL_SIZE ? { is: "at least", value: 5 } : undefined,
    ),
    figure("cAdvisor: samples on the page", theirs.pages.samples, ""),
    figure("cAdvisor: resident", theirs.bytes / MB, "MB"),
  ];
}

/** How soon a container is on the page, and how soon off it again: by the agent, which finds containers itself. */
async function measureChanges(fleet: Fleet, { changes, warmMs }: Extent): Promise<Figure[]> {
  await using agent = await FlyballAgent.start(fleet.socketPath);
  await sleep(warmMs);
  const appearMs: number[] = [];
  const goneMs: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const { id } = await fleet.startOne(fleet.containers.length + change);
    const startedAtMs = performance.now();
    const first = `container_cpu_usage_seconds_total{`;
    await until(async () => linesOf(await getPage(agent.url), id).some((line) => line.startsWith(first)));
    appearMs.push(performance.now() - startedAtMs);
    await fleet.docker.getContainer(id).kill();
    const endedAtMs = performance.now();
    await until(async () => linesOf(await getPage(agent.url), id).length === 0);
    goneMs.push(performance.now() - endedAtMs);
    await fleet.docker.getContainer(id).remove({ force: true });
  }
  const worst = (values: readonly number[]) => percentile(values, 1);
  return [
    {
      name: "a container's start to its first sample on the page, worst",
      value: worst(appearMs),
      unit: "ms",
      goal: { is: "at most", value: 1_200 },
    },
    {
      name: "a container's end to its series gone from the page, worst",
      value: worst(goneMs),
      unit: "ms",
      goal: { is: "at most", value: 5_000 },
    },
  ];
}

function linesOf({ body }: { body: Buffer }, id: string): string[] {
  return body
    .toString("utf8")
    .split("\n")
    .filter((line) => line.includes(id));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + CHANGE_PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error("waited in vain for a change of the page");
    await sleep(LOOK_EVERY_MS);
  }
}

async function measurePages(url: string, count: number): Promise<Pages> {
  const plain = await getPage(url);
  const [plainMs, gzipMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < count; round += 1) {
    plainMs.push((await getPage(url)).ms);
    await sleep(100);
    gzipMs.push((await getPage(url, "gzip")).ms);
    // Not in step with the readings.
    await sleep(237);
  }
  return { plainMs, gzipMs, samples: samplesIn(plain.body), bytes: plain.bytes };
}

function scrapeEvery(url: string, everyMs: number): () => void {
  const scrape = () => void getPage(url, "gzip").catch(() => {});
  scrape();
  const timer = setInterval(scrape, everyMs);
  return () => clearInterval(timer);
}
