import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Discovered } from "../discover/discovered.ts";
import { labelText, relabelled } from "./app-labels.ts";
import { isBrisk } from "./brisk.ts";
import { type MetricsEndpoint, metricsEndpointOf } from "./metrics-endpoint.ts";
import { type Family, type Label, parseMetricsText } from "./metrics-text.ts";
import { type Scraped, scrape } from "./scrape.ts";
import { requestReading, type Traffic } from "./traffic.ts";
import { TrafficMeter } from "./traffic-meter.ts";

export interface ApplicationsOptions {
  readonly clock: Clock;
  /** The labels that every series of a replica gets. Absent: the series are for nobody, and are not kept. */
  readonly labelsOf?: ((replica: Discovered) => readonly Label[]) | undefined;
  /** A line for a person, when a replica's metrics begin or end being unreadable. */
  readonly note: (line: string) => void;
  /** From one scrape of a replica to its next. Default 15 s. */
  readonly intervalMs?: number;
  /** The same of one whose service scales by its requests. Default 1 s. */
  readonly briskIntervalMs?: number;
}

const INTERVAL_MS = 15_000;
const BRISK_INTERVAL_MS = 1_000;
/** After a scrape that failed; doubled at each failure in a row, up to the interval. */
const FIRST_RETRY_MS = 1_000;
/** Up to so many intervals of one that is scraped often. */
const BRISK_RETRY_INTERVALS = 5;
const STATUS_PREFIX = "flyball_application_";
const CONCURRENCY = 32;
/** Those that failed the last time may take no more of it, however long they let one wait. */
const FAILING_CONCURRENCY = 8;
/** Of one replica. */
export const MAX_SERIES = 2_000;
/** Of all together. */
const MAX_SERIES_IN_ALL = 50_000;

/** What a replica said of itself at one instant. */
export interface ApplicationReading {
  readonly replica: ReplicaId;
  readonly readAtMs: number;
  /** Re-labelled; a series' labels are the text between its name and its value. */
  readonly families: readonly ApplicationFamily[];
}

export interface ApplicationFamily extends Omit<Family, "series"> {
  readonly series: readonly ApplicationSeries[];
}

export interface ApplicationSeries {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

export interface ApplicationCounts {
  readonly endpoints: number;
  readonly endpointsUp: number;
  readonly scrapes: number;
  readonly failedScrapes: number;
  /** Now kept. */
  readonly series: number;
  /** Series over a limit, and of families whose names are the collector's own, so far. */
  readonly droppedSeries: number;
  readonly badLines: number;
}

interface Watched {
  replica: Discovered;
  endpoint: MetricsEndpoint | undefined;
  nextAtMs: number;
  busy: boolean;
  reading: ApplicationReading | undefined;
  seriesCount: number;
  /** In a row. */
  failures: number;
  /** How long the last scrape took. */
  seconds: number | undefined;
  /** What was last said of it. */
  noted: string | undefined;
  /** Of one that is scraped often. */
  readonly meter: TrafficMeter | undefined;
}

/** Scrapes the replicas whose labels ask for it, each at its own pace and never more than a few at once. */
export class Applications implements AsyncDisposable {
  readonly #options: ApplicationsOptions;
  readonly #watched = new Map<ReplicaId, Watched>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #runningFailing = 0;
  readonly #counts = { scrapes: 0, failedScrapes: 0, droppedSeries: 0, badLines: 0 };
  #timer: NodeJS.Timeout | undefined;
  #series = 0;
  #revision = 0;

  constructor(options: ApplicationsOptions) {
    this.#options = options;
  }

  /** Grows whenever the readings are others. */
  get revision(): number {
    return this.#revision;
  }

  get readings(): ApplicationReading[] {
    return [...this.#watched.values()].flatMap(({ reading }) => reading ?? []);
  }

  /** How the last scrape of each replica went, as families of their own. */
  get status(): ApplicationFamily[] {
    const scraped = [...this.#watched.values()].filter(({ seconds }) => seconds !== undefined);
    const family = (name: string, help: string, value: (watched: Watched) => number): ApplicationFamily => ({
      name: `${STATUS_PREFIX}${name}`,
      type: "gauge",
      help,
      series: scraped.map((watched) => ({
        name: `${STATUS_PREFIX}${name}`,
        labels: labelText(this.#options.labelsOf?.(watched.replica) ?? []),
        value: value(watched),
      })),
    });
    return [
      family("up", "1 when the replica's own metrics could be read the last time.", ({ reading }) =>
        Number(reading !== undefined),
      ),
      family(
        "scrape_seconds",
        "How long the last scrape of the replica took.",
        ({ seconds }) => seconds ?? 0,
      ),
      family("series", "Series of the replica on this page.", ({ seriesCount }) => seriesCount),
    ];
  }

  /** What a replica's own counters say of its requests; undefined unless its labels ask for it, and when it is not known. */
  traffic(replica: ReplicaId): Traffic | undefined {
    return this.#watched.get(replica)?.meter?.at(this.#options.clock.monotonicMs());
  }

  get counts(): ApplicationCounts {
    const asked = [...this.#watched.values()];
    const endpointsUp = asked.filter(({ reading }) => reading !== undefined).length;
    return { ...this.#counts, endpoints: asked.length, endpointsUp, series: this.#series };
  }

  reading(replica: ReplicaId): ApplicationReading | undefined {
    return this.#watched.get(replica)?.reading;
  }

  /** The whole list. A replica that stays keeps its reading, unless it answers elsewhere now. */
  setReplicas(replicas: Iterable<Discovered>): void {
    const named = new Set<ReplicaId>();
    for (const replica of replicas) {
      const asked = metricsEndpointOf(replica);
      if (asked === undefined) continue;
      named.add(replica.id);
      this.#watch(replica, "endpoint" in asked ? asked.endpoint : undefined);
      if ("missing" in asked) this.#note(replica.id, asked.missing);
    }
    for (const id of this.#watched.keys()) if (!named.has(id)) this.#forget(id);
    this.#scrapeDue();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #watch(replica: Discovered, endpoint: MetricsEndpoint | undefined): void {
    const known = this.#watched.get(replica.id);
    const same = known !== undefined && JSON.stringify(known.endpoint) === JSON.stringify(endpoint);
    const brisk = isBrisk(replica.labels);
    if (same && known.replica.pid === replica.pid && brisk === (known.meter !== undefined)) {
      known.replica = replica;
      return;
    }
    this.#forget(replica.id);
    this.#watched.set(replica.id, {
      replica,
      endpoint,
      nextAtMs: 0,
      busy: false,
      reading: undefined,
      seriesCount: 0,
      failures: 0,
      seconds: undefined,
      noted: undefined,
      meter: brisk ? new TrafficMeter() : undefined,
    });
  }

  #forget(id: ReplicaId): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#keep(watched, undefined, 0);
    this.#watched.delete(id);
  }

  #scrapeDue(): void {
    if (this.#stop.signal.aborted) return;
    const nowMs = this.#options.clock.monotonicMs();
    for (const watched of this.#watched.values()) {
      if (watched.nextAtMs <= nowMs && this.#hasRoomFor(watched)) this.#begin(watched, nowMs);
    }
    this.#wait(nowMs);
  }

  /** Until the next one is due; what is due and finds no room gets its turn when another has ended. */
  #wait(nowMs: number): void {
    clearTimeout(this.#timer);
    let nextAtMs = Infinity;
    for (const watched of this.#watched.values()) {
      const isWaiting = !watched.busy && watched.endpoint !== undefined && watched.nextAtMs > nowMs;
      if (isWaiting) nextAtMs = Math.min(nextAtMs, watched.nextAtMs);
    }
    if (nextAtMs < Infinity) this.#timer = setTimeout(() => this.#scrapeDue(), nextAtMs - nowMs);
  }

  #hasRoomFor({ busy, endpoint, failures }: Watched): boolean {
    if (endpoint === undefined || busy || this.#running.size >= CONCURRENCY) return false;
    return failures === 0 || this.#runningFailing < FAILING_CONCURRENCY;
  }

  #begin(watched: Watched, nowMs: number): void {
    const { endpoint } = watched;
    if (endpoint === undefined) return;
    const intervalMs = this.#intervalMs(watched);
    const wasFailing = watched.failures > 0;
    watched.busy = true;
    // On a grid, unless it was left for long.
    watched.nextAtMs += intervalMs;
    if (watched.nextAtMs <= nowMs) watched.nextAtMs = nowMs + intervalMs;
    if (wasFailing) this.#runningFailing += 1;
    const run = this.#scrape(watched, endpoint).finally(() => {
      watched.busy = false;
      if (wasFailing) this.#runningFailing -= 1;
      this.#running.delete(run);
      this.#leaveOutPast(watched);
      this.#scrapeDue();
    });
    this.#running.add(run);
  }

  /** One that took longer than its interval waits for its next turn, or it would be asked without a break. */
  #leaveOutPast(watched: Watched): void {
    const lateMs = this.#options.clock.monotonicMs() - watched.nextAtMs;
    const intervalMs = this.#intervalMs(watched);
    if (lateMs >= 0) watched.nextAtMs += (Math.floor(lateMs / intervalMs) + 1) * intervalMs;
  }

  #intervalMs({ meter }: Watched): number {
    const { intervalMs = INTERVAL_MS, briskIntervalMs = BRISK_INTERVAL_MS } = this.#options;
    return meter === undefined ? intervalMs : Math.min(intervalMs, briskIntervalMs);
  }

  async #scrape(watched: Watched, endpoint: MetricsEndpoint): Promise<void> {
    const { id } = watched.replica;
    const { clock } = this.#options;
    const fromMs = clock.monotonicMs();
    this.#counts.scrapes += 1;
    try {
      const scraped = await scrape(endpoint, clock, this.#stop.signal);
      if (this.#watched.get(id) !== watched) return;
      const trouble = [
        this.#takeTraffic(watched, endpoint, scraped),
        this.#takeSeries(watched, scraped.text),
      ];
      watched.failures = 0;
      const said = trouble.filter((line) => line !== undefined).join("; ");
      if (said !== "") this.#note(id, said);
      else if (watched.noted !== undefined) {
        watched.noted = undefined;
        this.#options.note(`metrics of ${watched.replica.name}: read again`);
      }
    } catch (error) {
      if (this.#stop.signal.aborted || this.#watched.get(id) !== watched) return;
      this.#counts.failedScrapes += 1;
      this.#keep(watched, undefined, 0);
      // One that has just started may not listen yet.
      const longestMs = this.#intervalMs(watched) * (watched.meter === undefined ? 1 : BRISK_RETRY_INTERVALS);
      watched.failures += 1;
      watched.nextAtMs =
        clock.monotonicMs() + Math.min(longestMs, FIRST_RETRY_MS * 2 ** (watched.failures - 1));
      this.#note(id, messageOf(error));
    } finally {
      watched.seconds = (clock.monotonicMs() - fromMs) / SECOND_MS;
    }
  }

  /** What is wrong with it, for a person. */
  #takeTraffic({ meter }: Watched, { path }: MetricsEndpoint, scraped: Scraped): string | undefined {
    if (meter === undefined) return undefined;
    const reading = requestReading(scraped.text, path, scraped.atMonotonicMs);
    if (reading === undefined) return "no metric on its page counts requests under a name that is known";
    meter.take(reading);
    return undefined;
  }

  /** What is wrong with them, for a person. @throws Error when there are none */
  #takeSeries(watched: Watched, text: string): string | undefined {
    const { labelsOf, clock } = this.#options;
    if (labelsOf === undefined) return undefined;
    const allowed = Math.min(MAX_SERIES, MAX_SERIES_IN_ALL - this.#series + watched.seriesCount);
    const parsed = parseMetricsText(text, Math.max(0, allowed));
    if (parsed.families.length === 0 && parsed.badLines > 0) throw new Error("answered no metrics");
    const own = labelsOf(watched.replica);
    const families = parsed.families
      .filter(({ name }) => !isTaken(name))
      .map((family): ApplicationFamily => {
        const series = family.series.map(({ name, labels, value }) => ({
          name,
          labels: labelText(relabelled(own, labels)),
          value,
        }));
        return { ...family, series };
      });
    const count = (list: readonly { readonly series: readonly unknown[] }[]) =>
      list.reduce((sum, { series }) => sum + series.length, 0);
    const kept = count(families);
    const dropped = parsed.droppedSeries + count(parsed.families) - kept;
    this.#counts.droppedSeries += dropped;
    this.#counts.badLines += parsed.badLines;
    this.#keep(watched, { replica: watched.replica.id, readAtMs: clock.nowMs(), families }, kept);
    if (dropped > 0) return `${dropped} of ${kept + dropped} series are left out`;
    return parsed.badLines > 0 ? `${parsed.badLines} lines are no metrics` : undefined;
  }

  #keep(watched: Watched, reading: ApplicationReading | undefined, seriesCount: number): void {
    if (watched.reading !== undefined || reading !== undefined) this.#revision += 1;
    this.#series += seriesCount - watched.seriesCount;
    watched.seriesCount = seriesCount;
    watched.reading = reading;
  }

  #note(id: ReplicaId, line: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined || watched.noted === line) return;
    watched.noted = line;
    this.#options.note(`metrics of ${watched.replica.name}: ${line}`);
  }
}

/** What the page says of each scrape would be in doubt if an application could say it too. */
function isTaken(name: string): boolean {
  return name.startsWith(STATUS_PREFIX);
}
