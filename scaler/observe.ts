import { STALE_AFTER_MS } from "../core/staleness.ts";
import type { ObservedReplica, Rule, RuleMetric, ScalingPolicy, Service, SignsOfUse } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import type { ScalingInput } from "./decide.ts";
import type { RuleObservation } from "./rules.ts";

/** Means of a span of time. Absent when it holds fewer than two readings. */
export interface Reading {
  readonly mean: number;
  readonly newestAtMs: number;
}

/** Where the levels of rules are read. Spans are open at their start and closed at their end. */
export interface LevelReader {
  /** What one replica used: cores, bytes, requests per second. */
  ofReplica(replica: ObservedReplica, metric: RuleMetric, fromMs: number, toMs: number): Reading | undefined;
  /** Share of the span in which the replica wanted CPU and did not get it. */
  heldBack(replica: ObservedReplica, fromMs: number, toMs: number): number | undefined;
  /** A level of the service as a whole: a latency, the answer to a query. */
  ofService(service: Service, rule: Rule, fromMs: number, toMs: number): Reading | undefined;
}

export interface ScalingSubject {
  readonly service: Service;
  readonly desired: number;
  readonly replicas: readonly ObservedReplica[];
  /** Why some of the desired ones cannot be placed; absent: they can. */
  readonly noRoom?: string;
  /** What the balancer knows of its use; absent: nothing. */
  readonly signsOfUse?: SignsOfUse;
}

export type Observed = Pick<ScalingInput, "serving" | "observations"> & {
  /** What its query gives now, whether a replica serves or not; absent: it has none, or it is silent. */
  readonly queryLevel?: number;
};

/** A jump is looked for in this share of the window, and in no less than two seconds: two readings. */
const BURST_SHARE = 0.2;
export const LEAST_BURST_MS = 2 * SECOND_MS;
/** A reading is made each second, give or take a few milliseconds: one at the very edge must not come and go. */
const HALF_A_READING_MS = SECOND_MS / 2;

/** The last moments of a policy's window, in which a jump is looked for. */
export function burstSpanMs({ windowMs }: Pick<ScalingPolicy, "windowMs">): number {
  return Math.max(windowMs * BURST_SHARE, LEAST_BURST_MS);
}

/** What `decide` needs to know of the replicas of a service that scales. */
export function observe(
  { service, replicas }: ScalingSubject,
  policy: ScalingPolicy,
  reader: LevelReader,
  nowMs: number,
): Observed {
  const burstMs = burstSpanMs(policy) - HALF_A_READING_MS;
  const perReplica = policy.rules.filter(isOfReplicas);
  const sums = new Map(perReplica.map((rule) => [rule, new Sums()]));
  const ready = replicas.filter((replica) => replica.state === "running");
  const longestMs = ready.reduce((most, replica) => Math.max(most, servedForMs(replica, nowMs)), 0);
  const sharesOf = (servedMs: number): Shares => ({
    window: share(servedMs, Math.min(policy.windowMs, longestMs)),
    burst: share(servedMs, Math.min(burstMs, longestMs)),
  });
  let serving = 0;
  for (const replica of ready) {
    const servedMs = servedForMs(replica, nowMs);
    // What a replica burns to get ready is not load.
    const windowFromMs = nowMs - Math.min(policy.windowMs, servedMs);
    const burstFromMs = nowMs - Math.min(burstMs, servedMs);
    const readings = perReplica.map((rule) => ({
      rule,
      window: reader.ofReplica(replica, rule.metric, windowFromMs, nowMs),
      burst: reader.ofReplica(replica, rule.metric, burstFromMs, nowMs),
    }));
    const silent = perReplica.length > 0 && readings.every(({ window }) => window === undefined);
    // One that became ready just now could not be read yet: it is still on its way, and nothing is wrong with it.
    if (silent && servedMs < STALE_AFTER_MS) continue;
    serving += 1;
    for (const { rule, window, burst } of readings) {
      if (window === undefined) continue;
      const heldBack = rule.metric === "cpu" ? reader.heldBack(replica, burstFromMs, nowMs) : undefined;
      // Memory is held, not done: a replica's is its own from the start.
      const shares = rule.metric === "memory" ? WHOLE : sharesOf(servedMs);
      sums.get(rule)?.add(nowMs, rule.capacity ?? 1, window, burst, heldBack, shares);
    }
  }
  const observations = policy.rules.map((rule) => {
    const sum = sums.get(rule);
    if (sum !== undefined) return sum.observation;
    const window = reader.ofService(service, rule, nowMs - policy.windowMs, nowMs);
    const burst = reader.ofService(service, rule, nowMs - burstMs, nowMs);
    const all = new Sums();
    // The level is that of each replica, as far as anybody knows.
    if (window !== undefined)
      for (let n = 0; n < serving; n += 1) all.add(nowMs, 1, window, burst, undefined, WHOLE);
    return all.observation;
  });
  const queryLevel = queryLevelOf(service, policy, reader, nowMs, burstMs);
  return { serving, observations, ...(queryLevel === undefined ? {} : { queryLevel }) };
}

function queryLevelOf(
  service: Service,
  { rules }: ScalingPolicy,
  reader: LevelReader,
  nowMs: number,
  spanMs: number,
): number | undefined {
  const rule = rules.find(({ metric }) => metric === "query");
  if (rule === undefined) return undefined;
  const reading = reader.ofService(service, rule, nowMs - spanMs, nowMs);
  return reading !== undefined && nowMs - reading.newestAtMs <= STALE_AFTER_MS ? reading.mean : undefined;
}

function isOfReplicas({ metric }: Rule): boolean {
  return metric === "cpu" || metric === "memory" || metric === "rps";
}

/**
 * Of each span, as far as the service served in it, the share in which a replica did: what it did then is spread over
 * the whole, so that the sum is what the service did, whoever did it.
 */
interface Shares {
  readonly window: number;
  readonly burst: number;
}

const WHOLE: Shares = { window: 1, burst: 1 };

function share(servedMs: number, spanMs: number): number {
  return servedMs >= spanMs ? 1 : servedMs / spanMs;
}

class Sums {
  #read = 0;
  #sum = 0;
  #burstSum = 0;
  #cautiousSum = 0;
  #ageMs = 0;
  #heldBackSum = 0;
  #heldBackRead = 0;

  /** Leaves out what is stale or no number. */
  add(
    nowMs: number,
    capacity: number,
    window: Reading,
    burst: Reading | undefined,
    heldBack: number | undefined,
    shares: Shares,
  ): void {
    const ageMs = nowMs - window.newestAtMs;
    if (!(ageMs <= STALE_AFTER_MS) || !Number.isFinite(window.mean)) return;
    const mean = window.mean / capacity;
    const knowsBurst = burst !== undefined && Number.isFinite(burst.mean);
    const latest = knowsBurst ? burst.mean / capacity : mean;
    this.#read += 1;
    this.#sum += mean * shares.window;
    this.#burstSum += latest * (knowsBurst ? shares.burst : shares.window);
    // A replica that is new goes on as it does now: spread over the time before it served, that would pass for calm.
    this.#cautiousSum += Math.max(mean, latest);
    this.#ageMs = Math.max(this.#ageMs, ageMs);
    if (heldBack === undefined || !Number.isFinite(heldBack)) return;
    this.#heldBackSum += heldBack;
    this.#heldBackRead += 1;
  }

  get observation(): RuleObservation {
    return {
      read: this.#read,
      sum: this.#sum,
      burstSum: this.#burstSum,
      cautiousSum: this.#cautiousSum,
      ageMs: this.#ageMs,
      ...(this.#heldBackRead === 0 ? {} : { heldBackRatio: this.#heldBackSum / this.#heldBackRead }),
    };
  }
}

/** For how long a replica has been ready; for ever when that is not known, or when the clock was set back since. */
function servedForMs({ readyAtMs }: ObservedReplica, nowMs: number): number {
  return readyAtMs === undefined || readyAtMs > nowMs ? Number.POSITIVE_INFINITY : nowMs - readyAtMs;
}
