import type { AppliedLimit, Evaluation, RuleVerdict, ScalingPolicy } from "../core/types.ts";
import { formatDuration, formatPercent } from "../core/units.ts";

/** The evaluation in one sentence for a person. */
export function describe(evaluation: Evaluation, policy: ScalingPolicy): string {
  const { from, wanted, to, verdicts, limits } = evaluation;
  const head = to === from ? `stays at ${from}` : `${from} → ${to}`;
  const why = wanted === from ? quietReason(verdicts, from) : askingReason(verdicts, from, wanted);
  const but = limits.map((limit) => describeLimit(limit, evaluation, policy));
  if (but.length === 0) return `${head}: ${why}`;
  return `${head}: ${why}, but ${but.join(", and ")}`;
}

/** Line by line: each rule's verdict, each limit in order, and the result. */
export function explainLines(evaluation: Evaluation, policy: ScalingPolicy): readonly string[] {
  const { from, wanted, verdicts, limits } = evaluation;
  return [
    ...verdicts.map((verdict) => `rule ${describeVerdict(verdict, from)}`),
    `the rules ask for ${wanted}${wanted === from ? " (no change)" : ""}`,
    ...limits.map(
      (limit) =>
        `limit ${limit.limit}: ${limit.from} → ${limit.to}: ${describeLimit(limit, evaluation, policy)}`,
    ),
    `result ${describe(evaluation, policy)}`,
  ];
}

function askingReason(verdicts: readonly RuleVerdict[], from: number, wanted: number): string {
  const direction = wanted > from ? "out" : "in";
  const asking = verdicts
    .filter((verdict) => verdict.wants === direction)
    .map((verdict) => describeUse(verdict, from));
  const result = wanted < from ? "would do" : wanted === 1 ? "is wanted" : "are wanted";
  return `${asking.join(" and ")}, so ${wanted} ${result}`;
}

function quietReason(verdicts: readonly RuleVerdict[], from: number): string {
  const silent = silentAmong(verdicts);
  if (silent.length > 0) return describeSilence(silent);
  const uses = verdicts.map((verdict) => describeUse(verdict, from)).join(" and ");
  const calm = verdicts.every((verdict) => verdict.wants === "in");
  return calm && from === 1 ? `${uses}, and one replica is the fewest` : uses;
}

function describeVerdict(verdict: RuleVerdict, from: number): string {
  if (verdict.wants === "unknown") return `${verdict.metric}: ${describeSilence([verdict])}`;
  const age = verdict.ageMs === undefined ? "" : `, ${formatDuration(verdict.ageMs)} ago`;
  const read = `read from ${verdict.replicasRead} of ${count(verdict.replicasServing, "replica")}${age}`;
  const wants = { out: "asks for more", in: "would do with fewer", hold: "is content" }[verdict.wants];
  return `${describeUse(verdict, from)}: ${wants} (${read})`;
}

/** What was read, beside the threshold that says what it means. */
function describeUse(verdict: RuleVerdict, from: number): string {
  const { metric, ratio = 0, burstRatio = ratio, maxRatio = 1, minRatio, replicasRead } = verdict;
  const partly =
    replicasRead < verdict.replicasServing ? ` on ${replicasRead} of ${verdict.replicasServing}` : "";
  const use = (threshold: number) => `${metric} at ${percentBeside(ratio, threshold)}${partly}`;
  if (verdict.wants === "out") {
    if (ratio > maxRatio) return `${use(maxRatio)} is above ${formatPercent(maxRatio)}`;
    return `${metric} has jumped to ${formatPercent(burstRatio)}${partly}, above ${formatPercent(maxRatio)}`;
  }
  if (verdict.wants === "in") {
    if (minRatio === undefined) return `${use(maxRatio)} leaves room below ${formatPercent(maxRatio)}`;
    return `${use(minRatio)} is below ${formatPercent(minRatio)}`;
  }
  if (ratio > maxRatio)
    return `${use(maxRatio)} is above ${formatPercent(maxRatio)}, ${reliefOf(verdict, from)}`;
  if (minRatio === undefined)
    return `${use(maxRatio)} is ${ratio === maxRatio ? "at most" : "below"} ${formatPercent(maxRatio)}`;
  if (ratio < minRatio)
    return `${use(minRatio)} is below ${formatPercent(minRatio)}, ${doubtOf(verdict, from)}`;
  return `${use(minRatio)} is between ${formatPercent(minRatio)} and ${formatPercent(maxRatio)}`;
}

/** With a decimal where the two would read the same and are not. */
function percentBeside(ratio: number, threshold: number): string {
  const text = formatPercent(ratio);
  if (ratio === threshold || text !== formatPercent(threshold)) return text;
  return `${(ratio * 100).toFixed(1)} %`;
}

/** Why a ratio above the threshold asks for nothing. */
function reliefOf({ replicasServing, burstRatio = 0 }: RuleVerdict, from: number): string {
  const onTheirWay = from - replicasServing;
  if (onTheirWay > 0) return `and ${count(onTheirWay, "more replica")} on the way`;
  return `but down to ${formatPercent(burstRatio)} by now`;
}

/** Why a ratio below the lower threshold asks for nothing. */
function doubtOf({ replicasRead, replicasServing, burstRatio = 0 }: RuleVerdict, from: number): string {
  const unread = Math.max(replicasServing, from) - replicasRead;
  if (unread > 0) return `but ${unread === 1 ? "one" : unread} more may be busy`;
  return `but up at ${formatPercent(burstRatio)} by now`;
}

function silentAmong(verdicts: readonly RuleVerdict[]): readonly RuleVerdict[] {
  return verdicts.filter((verdict) => verdict.wants === "unknown");
}

function describeSilence(verdicts: readonly RuleVerdict[]): string {
  const replicas = verdicts[0]?.replicasServing ?? 0;
  if (replicas === 0) return "no replica serves yet";
  const metrics = verdicts.map(({ metric }) => metric).join(" and ");
  return `no fresh reading of ${metrics} from ${replicas === 1 ? "the replica" : `any of ${replicas} replicas`}`;
}

function describeLimit(limit: AppliedLimit, { verdicts }: Evaluation, policy: ScalingPolicy): string {
  const left = limit.remainingMs === undefined ? "" : ` for another ${formatDuration(limit.remainingMs)}`;
  switch (limit.limit) {
    case "data":
      return `there is ${describeSilence(silentAmong(verdicts))}, and silence never scales in`;
    case "cooldown":
      return `the cooldown of ${formatDuration(policy.cooldownMs)} lasts${left}`;
    case "settling":
      return `the last change has to settle${left}`;
    case "stabilization":
      return `${limit.to} ${limit.to === 1 ? "was" : "were"} needed within the last ${formatDuration(policy.stabilizationMs)}, which counts${left}`;
    case "rebound guard":
      return `${limit.from} would run at ${formatPercent(limit.ratio ?? 0)} and soon scale out again`;
    case "bounds":
      return `${limit.to} is the ${limit.to < limit.from ? "maximum" : "minimum"}`;
    case "single replica":
      return "the service cannot have a second replica";
    case "dry run":
      return "this is a dry run";
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
