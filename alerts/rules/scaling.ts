import type { Hold, HoldKind, RuleVerdict } from "../../core/types.ts";
import { MINUTE_MS } from "../../core/units.ts";
import type { ServiceFacts } from "../facts.ts";
import type { AlertRule } from "../rule.ts";
import { counted, formatLevel, listed, nameOf } from "./sentences.ts";
import { ofServices } from "./subject.ts";

/** Load that no further replica will take away. */
export const SERVICE_AT_MAXIMUM: AlertRule = {
  name: "ServiceAtMaximum",
  meaning: "the rules want more replicas than `autoscale.max` allows",
  severity: "warning",
  forMs: 2 * MINUTE_MS,
  keepFiringForMs: 2 * MINUTE_MS,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "ServiceAtMaximum", (service) => {
      const { id, scales, decision } = service;
      if (!scales) return undefined;
      const hot = (decision?.verdicts ?? []).filter(({ wants }) => wants === "out");
      const [hottest] = hot;
      const most = mostAllowed(service);
      return {
        truth: most === undefined ? wantsNoMore(service) : hot.length > 0,
        summary: `${id} is at its maximum of ${counted(most ?? 0, "replica")} and still hot: ${listed(hot.map(heat))}`,
        advice: `Raise autoscale.max, give each replica more, or find where the load comes from: flyball explain ${id}`,
        ...(hottest === undefined || hottest.metric === "query"
          ? {}
          : { signal: { metric: hottest.metric, threshold: hottest.max } }),
      };
    }),
};

const IN_THE_WAY: ReadonlySet<HoldKind> = new Set([
  "capacity",
  "single-replica",
  "dependency",
  "resource",
  "retry",
  "foreign",
]);

/** Fewer replicas than are wanted, for a reason that does not pass by itself. */
export const SERVICE_CANNOT_SCALE: AlertRule = {
  name: "ServiceCannotScale",
  meaning: "replicas that are wanted cannot be made: no capacity, a fixed port, an image that is not there …",
  severity: "warning",
  forMs: MINUTE_MS,
  keepFiringForMs: MINUTE_MS,
  noData: "keep",
  look: (facts) =>
    ofServices(facts, "ServiceCannotScale", (service) => {
      const { id, desired, replicas, holds } = service;
      const base = { advice: adviceFor(holds ?? [], id) };
      const single = service.decision?.limits.find(({ limit }) => limit === "single replica");
      if (single !== undefined && single.to < single.from) {
        const summary = `${id} wants ${counted(single.from, "replica")} and can have one only`;
        return { ...base, truth: true, summary };
      }
      if (replicas === undefined || holds === undefined) return { ...base, truth: undefined, summary: "" };
      const there = replicas.filter(({ state }) => state !== "exited" && state !== "stopping").length;
      const reasons = holds.filter(({ kind }) => kind !== undefined && IN_THE_WAY.has(kind));
      return {
        ...base,
        truth: there < desired && reasons.length > 0,
        summary: `${id} has ${there} of ${counted(desired, "replica")} and cannot have more: ${listed(distinct(reasons))}`,
      };
    }),
};

/** The bound that holds the count down, a schedule's among them; undefined: none does. */
function mostAllowed({ decision }: ServiceFacts): number | undefined {
  return decision?.limits.find(({ limit, from, to }) => limit === "bounds" && to < from)?.to;
}

/** False; undefined when one of the rules could not say. */
function wantsNoMore({ decision }: ServiceFacts): false | undefined {
  return decision === undefined || decision.verdicts.some(({ wants }) => wants === "unknown")
    ? undefined
    : false;
}

function heat({ metric, level, burstLevel, max }: RuleVerdict): string {
  const shown = level === undefined || level <= max ? (burstLevel ?? level) : level;
  const at = shown === undefined ? "" : ` at ${formatLevel(metric, shown)}`;
  return `${nameOf(metric)}${at}, above ${formatLevel(metric, max)}`;
}

function adviceFor(holds: readonly Hold[], id: string): string {
  const kinds = new Set(holds.map(({ kind }) => kind));
  if (kinds.has("capacity")) {
    return "Free some of the machine, reserve less for each replica, or add a machine: flyball ps shows what runs";
  }
  if (kinds.has("resource")) return "Make the image, network or volume available that is named above";
  return `See what stands in the way, and what to change: flyball doctor, flyball explain ${id}`;
}

const MOST_REASONS = 3;

function distinct(holds: readonly Hold[]): string[] {
  const reasons = [...new Set(holds.map(({ reason }) => reason))];
  const more = reasons.length - MOST_REASONS;
  return more > 0 ? [...reasons.slice(0, MOST_REASONS), `${more} more`] : reasons;
}
