import type { Autoscaler, Observation } from "../autoscaler.ts";
import { Recent } from "../recent.ts";

export interface KnativeSettings {
  /** `container-concurrency-target-percentage`, 70: config/core/configmaps/autoscaler.yaml, as the next four. */
  readonly targetRatio: number;
  /** `stable-window`, 60 s. */
  readonly stableMs: number;
  /** `panic-window-percentage`, 10 % of the stable window. */
  readonly panicMs: number;
  /** `panic-threshold-percentage`, 200. */
  readonly panicThreshold: number;
  /** `max-scale-up-rate` and `max-scale-down-rate`. */
  readonly upRate: number;
  readonly downRate: number;
  /** `tickInterval`: pkg/autoscaler/scaling/multiscaler.go. */
  readonly tickMs: number;
}

const KNATIVE_DEFAULTS: KnativeSettings = {
  targetRatio: 0.7,
  stableMs: 60_000,
  panicMs: 6_000,
  panicThreshold: 2,
  upRate: 1_000,
  downRate: 2,
  tickMs: 2_000,
};

/** A mean of equal numbers may be a little more than each of them, and is not to be rounded up for it. */
const ROUNDING = 1e-9;

/**
 * Knative's pod autoscaler with its defaults: pkg/autoscaler/scaling/autoscaler.go of knative/serving. Its proxy
 * sees every request, so it is given the exact demand. It is not let to zero here.
 */
export function knative(changes: Partial<KnativeSettings> = {}): Autoscaler {
  const settings = { ...KNATIVE_DEFAULTS, ...changes };
  const demands = new Recent(settings.stableMs);
  let tickAtMs: number | undefined;
  /** Absent: not in panic mode. */
  let panicAtMs: number | undefined;
  let mostInPanic = 0;

  return {
    name: "knative",
    next({ nowMs, desired, serving, demand }: Observation): number {
      demands.add(nowMs, demand);
      if (tickAtMs === undefined && serving > 1) {
        // With more than one replica it starts in panic mode, so as not to scale in for lack of history.
        panicAtMs = nowMs;
        mostInPanic = serving;
      }
      tickAtMs ??= nowMs;
      if (nowMs < tickAtMs) return desired;
      tickAtMs = nowMs + settings.tickMs;

      const most = Math.ceil(settings.upRate * serving);
      const least = Math.floor(serving / settings.downRate);
      const wantedOver = (windowMs: number) =>
        Math.ceil((demands.mean(nowMs - windowMs, nowMs) ?? demand) / settings.targetRatio - ROUNDING);
      const rated = (count: number) => Math.min(Math.max(count, least), most);
      const inPanic = wantedOver(settings.panicMs);

      if (inPanic / serving >= settings.panicThreshold) panicAtMs = nowMs;
      else if (panicAtMs !== undefined && panicAtMs + settings.stableMs < nowMs) {
        panicAtMs = undefined;
        mostInPanic = 0;
      }
      const stable = rated(wantedOver(settings.stableMs));
      if (panicAtMs === undefined) return stable;
      mostInPanic = Math.max(mostInPanic, stable, rated(inPanic));
      return mostInPanic;
    },
  };
}
