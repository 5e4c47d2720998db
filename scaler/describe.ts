import type { AppliedLimit, Evaluation, RuleVerdict, ScalingPolicy } from "../core/types.ts";
import { formatDuration, formatPercent } from "../core/units.ts";

/** The evaluation in one sentence for a person. */
export function describe(evaluation: Evaluation, policy: ScalingPolicy): string {
  const { from, wanted, to, verdicts, limits } = evaluation;
  const head = to === from ? `stays at ${from}` : `${from} → ${to}`;
  const why = wanted === from ? quietReason(verdicts, from) : askingReason(verdicts, from, wanted);
  const but = limits.map((limit) => describeLimit(limit, policy));
  if (but.length === 0) return `${head}: ${why}`;
  return `${head}: ${why}, but ${but.join("; then ")}`;
}

/** Line by line: each rule's verdict, each limit in order, and the result. */
export function explainLines(evaluation: Evaluation, policy: ScalingPolicy): readonly string[] {
  const rules = evaluation.verdicts.map((verdict) => `rule ${describeVerdict(verdict)}`);
  const wanted = `the rules ask for ${evaluation.wanted}${evaluation.wanted === evaluation.from ? " (no change)" : ""}`;
  const limits = evaluation.limits.map(
    (limit) => `limit ${limit.limit}: ${limit.from} → ${limit.to}: ${describeLimit(limit, policy)}`,
  );
  return [...rules, wanted, ...limits, `result ${describe(evaluation, policy)}`];
}

function askingReason(verdicts: readonly RuleVerdict[], from: number, wanted: number): string {
  const direction = wanted > from ? "out" : "in";
  const asking = verdicts.filter((verdict) => verdict.wants === direction).map(describeUse);
  return `${asking.join(" and ")}, so ${wanted} ${wanted > from ? "are wanted" : "would do"}`;
}

function quietReason(verdicts: readonly RuleVerdict[], from: number): string {
  const silent = verdicts.filter((verdict) => verdict.wants === "unknown");
  if (silent.length > 0) return silent.map(describeSilence).join(" and ");
  const calm = verdicts.every((verdict) => verdict.wants === "in");
  return `${verdicts.map(describeUse).join(" and ")}${calm && from === 1 ? ", and one replica is the fewest" : ""}`;
}

function describeVerdict(verdict: RuleVerdict): string {
  if (verdict.wants === "unknown") return describeSilence(verdict);
  const age = verdict.ageMs === undefined ? "" : `, read ${formatDuration(verdict.ageMs)} ago`;
  const read = `${verdict.replicasRead} of ${verdict.replicasServing} replicas${age}`;
  const wants = { out: "asks for more", in: "would do with fewer", hold: "is content", unknown: "" }[
    verdict.wants
  ];
  return `${describeUse(verdict)}: ${wants} (${read})`;
}

function describeUse(verdict: RuleVerdict): string {
  const { metric, ratio = 0, burstRatio = ratio, maxRatio, minRatio } = verdict;
  if (verdict.wants === "out" && maxRatio !== undefined) {
    if (ratio > maxRatio) return `${metric} at ${formatPercent(ratio)} is above ${formatPercent(maxRatio)}`;
    return `${metric} has jumped to ${formatPercent(burstRatio)}, above ${formatPercent(maxRatio)}`;
  }
  if (verdict.wants === "in") {
    if (minRatio !== undefined)
      return `${metric} at ${formatPercent(ratio)} is below ${formatPercent(minRatio)}`;
    return `${metric} at ${formatPercent(ratio)} leaves room below ${formatPercent(maxRatio ?? 1)}`;
  }
  const range =
    minRatio === undefined
      ? `below ${formatPercent(maxRatio ?? 1)}`
      : `between ${formatPercent(minRatio)} and ${formatPercent(maxRatio ?? 1)}`;
  return `${metric} at ${formatPercent(ratio)} is ${range}`;
}

function describeSilence(verdict: RuleVerdict): string {
  if (verdict.replicasServing === 0) return `${verdict.metric}: no replica serves yet`;
  const replicas =
    verdict.replicasServing === 1 ? "the one replica" : `all ${verdict.replicasServing} replicas`;
  return `${verdict.metric}: no fresh reading from ${replicas}`;
}

function describeLimit(limit: AppliedLimit, policy: ScalingPolicy): string {
  const left = limit.remainingMs === undefined ? "" : ` for another ${formatDuration(limit.remainingMs)}`;
  switch (limit.limit) {
    case "data":
      return "a rule has no reading, and silence never scales in";
    case "cooldown":
      return `the cooldown of ${formatDuration(policy.cooldownMs)} after a scale-out holds it${left}`;
    case "settling":
      return `the last change is younger than the window of ${formatDuration(policy.windowMs)}, which holds it${left}`;
    case "stabilization":
      return `${limit.to} were needed within the last ${formatDuration(policy.stabilizationMs)}, which holds it${left}`;
    case "rebound guard":
      return `${limit.from} would run at ${formatPercent(limit.ratio ?? 0)} and soon scale out again`;
    case "bounds":
      return limit.to < limit.from ? `max is ${limit.to}` : `min is ${limit.to}`;
    case "single replica":
      return "the service cannot have a second replica";
    case "dry run":
      return "this is a dry run";
  }
}
