import type { AppliedLimit, Evaluation, RuleMetric, RuleVerdict, ScalingPolicy } from "../core/types.ts";
import { formatDuration, formatPercent } from "../core/units.ts";
import type { Mode } from "./record.ts";

/** The evaluation in one sentence for a person. */
export function describe(evaluation: Evaluation, policy: ScalingPolicy, mode: Mode = "live"): string {
  const { from, wanted, to, verdicts, limits } = evaluation;
  const head = to === from ? `stays at ${from}` : `${from} → ${to}`;
  const why = wanted === from ? quietReason(verdicts, from) : askingReason(verdicts, from, wanted);
  const but = limits.map((limit) => describeLimit(limit, evaluation, policy, mode));
  if (but.length === 0) return `${head}: ${why}`;
  return `${head}: ${why}, but ${but.join(", and ")}`;
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
  if (from === 0) return "nobody uses it";
  const silent = silentAmong(verdicts);
  if (silent.length > 0) return describeSilence(silent);
  const uses = verdicts.map((verdict) => describeUse(verdict, from)).join(" and ");
  const calm = verdicts.every((verdict) => verdict.wants === "in");
  return calm && from === 1 ? `${uses}, and one replica is the fewest` : uses;
}

/** What was read, beside the threshold that says what it means. */
export function describeUse(verdict: RuleVerdict, from: number): string {
  const { metric, max, min, level = 0, burstLevel = level, risingTo, replicasRead } = verdict;
  const show = (value: number) => formatLevel(metric, value);
  const partly =
    replicasRead < verdict.replicasServing ? ` on ${replicasRead} of ${verdict.replicasServing}` : "";
  const use = (threshold: number) => `${metric} at ${levelBeside(metric, level, threshold)}${partly}`;
  if (verdict.wants === "out") {
    const hidden = verdict.saturated === true ? ", all that there is," : "";
    if (level > max) return `${use(max)}${hidden} is above ${show(max)}`;
    if (risingTo !== undefined && burstLevel <= max) {
      return `${use(max)} is rising steadily, to ${show(risingTo)} by the time one more serves, above ${show(max)}`;
    }
    return `${metric} has jumped to ${show(burstLevel)}${partly}${hidden || ","} above ${show(max)}`;
  }
  if (verdict.wants === "in") {
    if (min === undefined) return `${use(max)} leaves room below ${show(max)}`;
    return `${use(min)} is below ${show(min)}`;
  }
  if (level > max) return `${use(max)} is above ${show(max)}, ${reliefOf(verdict, from)}`;
  if (min === undefined) return `${use(max)} is ${level === max ? "at most" : "below"} ${show(max)}`;
  if (level < min) return `${use(min)} is below ${show(min)}, ${doubtOf(verdict, from)}`;
  return `${use(min)} is between ${show(min)} and ${show(max)}`;
}

/** With a decimal where the two would read the same and are not. */
function levelBeside(metric: RuleMetric, level: number, threshold: number): string {
  const text = formatLevel(metric, level);
  if (level === threshold || text !== formatLevel(metric, threshold)) return text;
  return metric === "cpu" || metric === "memory" ? `${(level * 100).toFixed(1)} %` : String(level);
}

/** Why a level above the threshold asks for nothing. */
function reliefOf(
  { metric, replicasServing, max, level = 0, burstLevel = 0 }: RuleVerdict,
  from: number,
): string {
  const onTheirWay = from - replicasServing;
  if (onTheirWay > 0) return `and ${count(onTheirWay, "more replica")} on the way`;
  if (burstLevel <= max) return `but down to ${formatLevel(metric, burstLevel)} by now`;
  return `and ${levelBeside(metric, (level * from) / (from + 1), max)} with one more would be further from it`;
}

/** Why a level below the lower threshold asks for nothing. */
function doubtOf(
  { metric, replicasRead, replicasServing, min = 0, burstLevel = 0 }: RuleVerdict,
  from: number,
): string {
  const unread = Math.max(replicasServing, from) - replicasRead;
  if (unread > 0) return `but ${unread === 1 ? "one" : unread} more may be busy`;
  if (burstLevel >= min) return `but up at ${formatLevel(metric, burstLevel)} by now`;
  return "but one fewer would be too few";
}

export function formatLevel(metric: RuleMetric, level: number): string {
  switch (metric) {
    case "cpu":
    case "memory":
      return formatPercent(level);
    case "rps":
      return `${Number(level.toPrecision(3))}/s per replica`;
    case "latency":
      return `${Math.round(level)} ms`;
    case "query":
      return String(Number(level.toPrecision(4)));
  }
}

function silentAmong(verdicts: readonly RuleVerdict[]): readonly RuleVerdict[] {
  return verdicts.filter((verdict) => verdict.wants === "unknown");
}

export function describeSilence(verdicts: readonly RuleVerdict[]): string {
  const replicas = verdicts[0]?.replicasServing ?? 0;
  if (replicas === 0) return "no replica serves yet";
  const [answers, readings] = [
    verdicts.filter(({ metric }) => metric === "query"),
    verdicts.filter(({ metric }) => metric !== "query"),
  ];
  const metrics = readings.map(({ metric }) => metric).join(" and ");
  const source = replicas === 1 ? "the replica" : `any of ${replicas} replicas`;
  return [
    ...(readings.length === 0 ? [] : [`no fresh reading of ${metrics} from ${source}`]),
    // Prometheus is asked, and no replica.
    ...(answers.length === 0 ? [] : ["no fresh answer to the query"]),
  ].join(" and ");
}

/** Why a limit changed the count. */
export function describeLimit(
  limit: AppliedLimit,
  { service, verdicts }: Evaluation,
  policy: ScalingPolicy,
  mode: Mode,
): string {
  const left = limit.remainingMs === undefined ? "" : ` for another ${formatDuration(limit.remainingMs)}`;
  switch (limit.limit) {
    case "data":
      return `there is ${describeSilence(silentAmong(verdicts))}, and silence never scales in`;
    case "forecast":
      return `${limit.to} are expected to be needed soon`;
    case "cooldown":
      return `the cooldown of ${formatDuration(policy.cooldownMs)} lasts${left}`;
    case "settling":
      return `the last change has to settle${left}`;
    case "rebound guard":
      return `${limit.from} would run at ${formatLevel(limit.metric ?? "cpu", limit.level ?? 0)} and soon scale out again`;
    case "often needed":
      return `${limit.to} are needed again every ${formatDuration(limit.gapMs ?? 0)} on average, too often to take the last of them away`;
    case "stabilization":
      return `${limit.to} ${limit.to === 1 ? "was" : "were"} needed ${withinOf(policy)}, which counts${left}`;
    case "scale-in budget":
      return `the ${policy.scaleInsPerHour} scale-ins of the hour are used up${left}`;
    case "bounds": {
      const source = limit.schedule === undefined ? "" : ` by the schedule ${limit.schedule}`;
      return `${limit.to} is the ${limit.to < limit.from ? "maximum" : "minimum"}${source}`;
    }
    case "idle":
      return `nobody has used it for ${formatDuration(policy.idleMs ?? 0)}`;
    case "woken":
      return "somebody waits for it";
    case "capacity":
      return `those that were ordered find no room: one ${limit.lack}`;
    case "single replica":
      return "the service cannot have a second replica";
    case "dry run":
      if (mode === "paused") return "scaling is paused";
      return mode === "shadow" ? `it waits for flyball approve ${service}` : "this is a dry run";
  }
}

function withinOf({ stabilizationMs }: ScalingPolicy): string {
  return stabilizationMs === undefined
    ? "not long ago"
    : `within the last ${formatDuration(stabilizationMs)}`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
