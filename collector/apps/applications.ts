import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Discovered } from "../discover/discovered.ts";
import { labelText, relabelled } from "./app-labels.ts";
import { type MetricsEndpoint, metricsEndpointOf } from "./metrics-endpoint.ts";
import { type Family, type Label, type MetricsText, parseMetricsText } from "./metrics-text.ts";
import { scrape } from "./scrape.ts";

export interface ApplicationsOptions {
  readonly clock: Clock;
  /** The labels that every series of a replica gets. */
  readonly labelsOf: (replica: Discovered) => readonly Label[];
  /** A line for a person, when a replica's metrics begin or end being unreadable. */
  readonly note: (line: string) => void;
  /** From one scrape of a replica to its next. Default 15 s. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 15_000;
/** How often it is looked for what is due. */
const LOOK_MS = 500;
/** After a scrape that failed; doubled at each failure in a row, up to the interval. */
const FIRST_RETRY_MS = 1_000;
const STATUS_PREFIX = "flyball_application_";
const CONCURRENCY = 8;
/** Of one replica. */
export const MAX_SERIES = 2_000;
/** Of all together. */
export const MAX_SERIES_IN_ALL = 50_000;

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

/** What rules may ask of the replicas' own metrics. */
export interface ApplicationValues {
  /** The newest reading of a replica; undefined when its last scrape failed, and before the first. */
  reading(replica: ReplicaId): ApplicationReading | undefined;
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
}

/** Scrapes the replicas whose labels ask for it, each at its own pace and never more than a few at once. */
export class Applications implements ApplicationValues, AsyncDisposable {
  readonly #options: ApplicationsOptions;
  readonly #watched = new Map<ReplicaId, Watched>();
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #counts = { scrapes: 0, failedScrapes: 0, droppedSeries: 0, badLines: 0 };
  #series = 0;
  #revision = 0;

  constructor(options: ApplicationsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#scrapeDue(), LOOK_MS);
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
        labels: labelText(this.#options.labelsOf(watched.replica)),
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
    clearInterval(this.#timer);
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  #watch(replica: Discovered, endpoint: MetricsEndpoint | undefined): void {
    const known = this.#watched.get(replica.id);
    const same = known !== undefined && JSON.stringify(known.endpoint) === JSON.stringify(endpoint);
    if (same && known.replica.pid === replica.pid) {
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
    });
  }

  #forget(id: ReplicaId): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    this.#keep(watched, undefined, 0);
    this.#watched.delete(id);
  }

  #scrapeDue(): void {
    const { clock, intervalMs = INTERVAL_MS } = this.#options;
    const nowMs = clock.monotonicMs();
    for (const watched of this.#watched.values()) {
      if (this.#running.size >= CONCURRENCY) return;
      if (watched.endpoint === undefined || watched.busy || watched.nextAtMs > nowMs) continue;
      watched.busy = true;
      watched.nextAtMs = nowMs + intervalMs;
      const run = this.#scrape(watched, watched.endpoint).finally(() => {
        watched.busy = false;
        this.#running.delete(run);
        if (!this.#stop.signal.aborted) this.#scrapeDue();
      });
      this.#running.add(run);
    }
  }

  async #scrape(watched: Watched, endpoint: MetricsEndpoint): Promise<void> {
    const { id } = watched.replica;
    const { clock } = this.#options;
    const fromMs = clock.monotonicMs();
    this.#counts.scrapes += 1;
    try {
      const text = await scrape(endpoint, this.#stop.signal);
      if (this.#watched.get(id) !== watched) return;
      const allowed = Math.min(MAX_SERIES, MAX_SERIES_IN_ALL - this.#series + watched.seriesCount);
      const parsed = parseMetricsText(text, Math.max(0, allowed));
      if (parsed.families.length === 0 && parsed.badLines > 0) throw new Error("answered no metrics");
      watched.failures = 0;
      this.#take(watched, parsed);
    } catch (error) {
      if (this.#stop.signal.aborted || this.#watched.get(id) !== watched) return;
      this.#counts.failedScrapes += 1;
      this.#keep(watched, undefined, 0);
      // One that has just started may not listen yet.
      const { intervalMs = INTERVAL_MS } = this.#options;
      watched.failures += 1;
      watched.nextAtMs = fromMs + Math.min(intervalMs, FIRST_RETRY_MS * 2 ** (watched.failures - 1));
      this.#note(id, messageOf(error));
    } finally {
      watched.seconds = (clock.monotonicMs() - fromMs) / SECOND_MS;
    }
  }

  #take(watched: Watched, parsed: MetricsText): void {
    const own = this.#options.labelsOf(watched.replica);
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
    const reading = { replica: watched.replica.id, readAtMs: this.#options.clock.nowMs(), families };
    this.#keep(watched, reading, kept);
    if (dropped > 0) this.#note(watched.replica.id, `${dropped} of ${kept + dropped} series are left out`);
    else if (parsed.badLines > 0) {
      this.#note(watched.replica.id, `${parsed.badLines} lines are no metrics`);
    } else if (watched.noted !== undefined) {
      watched.noted = undefined;
      this.#options.note(`metrics of ${watched.replica.name}: read again`);
    }
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
