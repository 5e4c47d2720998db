import type { LimitName, RuleVerdict } from "../core/types.ts";
import { formatDuration } from "../core/units.ts";
import { count, describe, describeLimit, describeSilence, describeUse, formatLevel } from "./describe.ts";
import type { Recorded } from "./record.ts";
import { type Alternative, type WhatIf, whatIf } from "./what-if.ts";

/**
 * An evaluation told to a person, the result first: what each rule read and asks for alone, each limit in the order in
 * which it was applied, what has been learned of the service, and what would have to change for another result.
 *
 * @param troubleOf why an expression gives no number; undefined when it does
 */
export function explain(
  recorded: Recorded,
  troubleOf: (expression: string) => string | undefined = () => undefined,
): readonly string[] {
  const { evaluation, input, mode } = recorded;
  const { policy } = input;
  return [
    describe(evaluation, policy, mode),
    ...modeLines(recorded),
    ...seatLines(recorded),
    ...evaluation.verdicts.map((verdict) => `rule: ${ruleLine(verdict, recorded)}`),
    ...policy.rules.flatMap(({ expression }) => troubleLines(expression, troubleOf)),
    ...limitLines(recorded).map((line) => `limit: ${line}`),
    ...learnedLines(recorded).map((line) => `learned: ${line}`),
    ...alternativeLines(recorded, whatIf(input)).map((line) => `otherwise: ${line}`),
  ];
}

function modeLines({ evaluation: { service }, mode }: Recorded): readonly string[] {
  if (mode === "paused") return [`paused: it is only watched until flyball resume ${service}`];
  if (mode === "live") return [];
  return [`shadow: these rules have never scaled it, so it is only watched until flyball approve ${service}`];
}

function seatLines({ input: { desired, serving, noRoom } }: Recorded): readonly string[] {
  const missing = desired - serving;
  if (missing > 0 && noRoom !== undefined) {
    return [`replicas: ${serving} of ${desired} serve; for the rest there is no room: one ${noRoom}`];
  }
  return missing > 0 ? [`replicas: ${serving} of ${desired} serve, ${missing} on the way`] : [];
}

function ruleLine(verdict: RuleVerdict, { evaluation: { from }, input: { policy } }: Recorded): string {
  const { metric, wants, asksFor = from, level, burstLevel, replicasRead, replicasServing, ageMs } = verdict;
  if (wants === "unknown") return `${describeSilence([verdict])}, so it asks for nothing`;
  const alone = {
    out: `alone it asks for ${asksFor}`,
    in: `alone it would do with ${asksFor}`,
    hold: "alone it asks for no change",
  }[wants];
  const burst =
    level !== undefined && burstLevel !== undefined
      ? `, ${formatLevel(metric, burstLevel)} in the last moments`
      : "";
  const age = ageMs === undefined ? "" : `, at most ${formatDuration(ageMs)} old`;
  const read = `read from ${replicasRead} of ${count(replicasServing, "replica")}${age}`;
  return `${describeUse(verdict, from)}, so ${alone} (mean of ${formatDuration(policy.windowMs)}${burst}; ${read})`;
}

function troubleLines(
  expression: string | undefined,
  troubleOf: (expression: string) => string | undefined,
): readonly string[] {
  const trouble = expression === undefined ? undefined : troubleOf(expression);
  return trouble === undefined ? [] : [`trouble: ${expression}: ${trouble}`];
}

function limitLines({ evaluation, input: { policy }, mode }: Recorded): readonly string[] {
  const { limits } = evaluation;
  if (limits.length === 0) return ["none was in the way"];
  return limits.map((limit) => {
    const why = describeLimit(limit, evaluation, policy, mode);
    return `${limit.limit}, ${limit.to} in place of ${limit.from}: ${why}`;
  });
}

function learnedLines({ input, startupMs }: Recorded): readonly string[] {
  const { policy, oftenNeeded, forecast, bounds } = input;
  const lines = [`a replica is expected to serve ${formatDuration(startupMs)} after it was ordered`];
  if (policy.stabilizationMs === undefined) {
    if (oftenNeeded === undefined) {
      lines.push(
        "how many it often needs is not known yet, so it waits five minutes before it takes any away",
      );
    } else if (oftenNeeded.replicas <= 1) lines.push("it seldom needs a second replica");
    else {
      const gap = formatDuration(oftenNeeded.gapMs);
      lines.push(`${oftenNeeded.replicas} replicas are needed again every ${gap} on average`);
    }
  }
  if (forecast !== undefined) {
    const { replicas, forMs = input.nowMs } = forecast;
    const when = forMs > input.nowMs ? `in ${formatDuration(forMs - input.nowMs)}` : "by now";
    lines.push(`its own history expects that ${replicas} are needed ${when}`);
  }
  if (bounds !== undefined) {
    lines.push(
      `the schedule ${bounds.schedule} allows ${bounds.minReplicas} to ${bounds.maxReplicas} replicas now`,
    );
  }
  return lines;
}

function alternativeLines({ evaluation, input }: Recorded, alternatives: WhatIf): readonly string[] {
  const { later, more, fewer, mostBecause, leastBecause } = alternatives;
  const { from } = evaluation;
  const unread = evaluation.verdicts.filter(({ wants }) => wants === "unknown");
  if (unread.length === evaluation.verdicts.length && later === undefined) {
    return [`nothing, until there is a reading of ${unread.map(({ metric }) => metric).join(" or ")}`];
  }
  const lines: string[] = [];
  if (later !== undefined) {
    lines.push(`${later.to} in ${formatDuration(later.afterMs)}, if all stays as it is`);
  }
  for (const alternative of more) lines.push(alternativeLine(alternative, from, "above"));
  if (mostBecause !== undefined) lines.push(`not more: ${blockedBy(mostBecause, input)}`);
  if (fewer !== undefined) lines.push(alternativeLine(fewer, from, "below"));
  if (leastBecause !== undefined) lines.push(`not fewer: ${blockedBy(leastBecause, input)}`);
  return lines;
}

function alternativeLine(alternative: Alternative, from: number, side: "above" | "below"): string {
  const { to, factor, levels, afterMs } = alternative;
  const where = levels.map(({ metric, level }) => `${metric} ${side} ${formatLevel(metric, level)}`);
  const lasting = afterMs > 0 ? ` for ${formatDuration(afterMs)}` : "";
  const result = to === from ? `it would have stayed at ${to}` : String(to);
  return `${result} with ${where.join(" and ")}${lasting}${changeOf(factor)}`;
}

/** In whole percents, and never none. Of next to nothing no share is told. */
function changeOf(factor: number): string {
  if (factor >= 10) return "";
  if (factor >= 2) return `, ${Number(factor.toPrecision(2))} times what it was`;
  const percent = Math.max(1, Math.round(Math.abs(factor - 1) * 100));
  return `, ${percent} % ${factor > 1 ? "more" : "less"} than it was`;
}

function blockedBy(
  limit: LimitName,
  { policy, bounds, oftenNeeded, forecast, noRoom }: Recorded["input"],
): string {
  const { minReplicas, maxReplicas } = bounds ?? policy;
  switch (limit) {
    case "bounds":
      return `it may have ${minReplicas} to ${maxReplicas}`;
    case "capacity":
      return `those that were ordered find no room: one ${noRoom}`;
    case "single replica":
      return "the service cannot have a second replica";
    case "often needed":
      return `${oftenNeeded?.replicas ?? "more"} are needed too often`;
    case "forecast":
      return `${forecast?.replicas ?? "more"} are expected to be needed soon`;
    case "data":
      return "a rule has no reading, and silence never scales in";
    default:
      return `${limit} holds it`;
  }
}
