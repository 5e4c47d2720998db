import type { Autoscaler, Observation } from "../autoscaler.ts";
import { Recent } from "../recent.ts";

export interface HpaSettings {
  /** `averageUtilization` of the CPU request. */
  readonly targetRatio: number;
  /** `--horizontal-pod-autoscaler-sync-period`, 15 s: pkg/controller/podautoscaler/config/v1alpha1/defaults.go. */
  readonly syncMs: number;
  /** `--horizontal-pod-autoscaler-tolerance`, 0.1: the same file. */
  readonly tolerance: number;
  /** `--horizontal-pod-autoscaler-downscale-stabilization`, 5 min: the same file. */
  readonly downWindowMs: number;
  /** Over which the metrics server takes a rate: its `--metric-resolution`, 15 s in its deployment's manifest. */
  readonly metricWindowMs: number;
  /**
   * How old a metric is when the loop sees it: up to a resolution of the metrics server more than the window.
   * kubernetes/kubernetes#110317 counts 27.5 s in the mean and 55 s at worst, the sync period included.
   */
  readonly metricAgeMs: number;
  /** Default scale-up policies: 4 pods or 100 %, whichever is more, per 15 s: pkg/apis/autoscaling/v2/defaults.go. */
  readonly upPods: number;
  readonly upShare: number;
  readonly upPeriodMs: number;
}

const HPA_DEFAULTS: HpaSettings = {
  targetRatio: 0.7,
  syncMs: 15_000,
  tolerance: 0.1,
  downWindowMs: 300_000,
  metricWindowMs: 15_000,
  metricAgeMs: 15_000,
  upPods: 4,
  upShare: 1,
  upPeriodMs: 15_000,
};

/**
 * The Horizontal Pod Autoscaler of Kubernetes (autoscaling/v2) on CPU, with its defaults.
 *
 * Replica arithmetic: GetResourceReplicas in pkg/controller/podautoscaler/replica_calculator.go. Stabilization and
 * policies: horizontal.go beside it. Scaling in is limited by its window only: the default policy allows 100 % per 15 s.
 */
export function hpa(changes: Partial<HpaSettings> = {}): Autoscaler {
  const settings = { ...HPA_DEFAULTS, ...changes };
  const readings = new Recent(settings.metricAgeMs + settings.metricWindowMs);
  const servings = new Recent(settings.metricAgeMs + settings.metricWindowMs);
  const recommendations = new Recent(settings.downWindowMs);
  const rises = new Recent(settings.upPeriodMs);
  let syncAtMs: number | undefined;

  return {
    name: `hpa ${Math.round(settings.targetRatio * 100)} %`,
    next({ nowMs, desired, serving, utilization }: Observation): number {
      readings.add(nowMs, utilization);
      servings.add(nowMs, serving);
      // The count that is found at the start is the first recommendation.
      if (syncAtMs === undefined) recommendations.add(nowMs, desired);
      syncAtMs ??= nowMs;
      if (nowMs < syncAtMs) return desired;
      syncAtMs += settings.syncMs;

      const readAtMs = nowMs - settings.metricAgeMs;
      const mean = readings.mean(readAtMs - settings.metricWindowMs, readAtMs);
      if (mean === undefined) return desired;
      // A pod whose metric does not cover a whole window since it became ready is "unready" (groupPods).
      const ready = Math.min(servings.least(readAtMs - settings.metricWindowMs), desired);
      const proposal = replicasAt(mean / settings.targetRatio, ready, desired, settings.tolerance);

      recommendations.add(nowMs, proposal);
      // Of exactly the window's age it still counts: syncs are never quite as far apart as they should be.
      const highest = recommendations.most(nowMs - settings.downWindowMs);
      if (proposal < desired) return Math.min(desired, highest);
      const periodStart = desired - rises.total(nowMs - settings.upPeriodMs);
      const ceiling = Math.max(
        periodStart + settings.upPods,
        Math.ceil(periodStart * (1 + settings.upShare)),
      );
      const wanted = Math.max(Math.min(proposal, ceiling), desired);
      if (wanted > desired) rises.add(nowMs, wanted - desired);
      return wanted;
    },
  };
}

/** The new count; pods that are not ready are left out for scaling in and count as idle for scaling out. */
function replicasAt(ratio: number, ready: number, desired: number, tolerance: number): number {
  const unready = desired - ready;
  if (ratio <= 1 || unready === 0) return isTolerable(ratio, tolerance) ? desired : Math.ceil(ratio * ready);
  const cautious = (ratio * ready) / desired;
  if (isTolerable(cautious, tolerance) || cautious < 1) return desired;
  return Math.max(Math.ceil(cautious * desired), desired);
}

function isTolerable(ratio: number, tolerance: number): boolean {
  return Math.abs(1 - ratio) <= tolerance;
}
