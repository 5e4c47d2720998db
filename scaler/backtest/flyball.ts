import { FlyballError } from "../../core/errors.ts";
import { decodeLabels, LABELS } from "../../core/labels.ts";
import type { Resources, ScalingPolicy } from "../../core/types.ts";
import { Governor } from "../governor.ts";
import { burstSpanMs, LEAST_BURST_MS } from "../observe.ts";
import type { RuleObservation } from "../rules.ts";
import type { Autoscaler, Observation, Situation } from "./autoscaler.ts";
import { Recent } from "./recent.ts";

const SERVICE = "backtest";

/** The live governor, with the policy of the same labels, on simulated readings. */
export function flyball(
  policy: ScalingPolicy,
  { startDelayMs }: Pick<Situation, "startDelayMs">,
): Autoscaler {
  const burstMs = burstSpanMs(policy);
  const work = new Recent(policy.windowMs);
  const utilizations = new Recent(policy.windowMs);
  const governor = new Governor(policy);
  let servedBefore: number | undefined;
  let grewAtMs = Number.NEGATIVE_INFINITY;
  let unread = 0;
  return {
    name: "flyball",
    next({ nowMs, desired, serving, utilization }: Observation): number {
      const grown = serving - (servedBefore ?? serving);
      servedBefore = serving;
      if (nowMs - grewAtMs >= LEAST_BURST_MS) unread = 0;
      if (grown > 0) grewAtMs = nowMs;
      unread = Math.min(Math.max(0, unread + grown), serving - 1);
      // Two readings of a replica are needed: until then it counts as on its way, and its work is not seen.
      const read = serving - unread;
      work.add(nowMs, utilization * serving);
      utilizations.add(nowMs, utilization);
      const over = (spanMs: number) => {
        const done = unread > 0 ? utilizations.mean(nowMs - spanMs, nowMs) : work.mean(nowMs - spanMs, nowMs);
        return (done ?? 0) * (unread > 0 ? read : 1);
      };
      const sum = over(policy.windowMs);
      const burstSum = over(burstMs);
      const cautiousSum = Math.max(sum, burstSum);
      const observation: RuleObservation = { read, sum, burstSum, cautiousSum, ageMs: 0 };
      const situation = {
        nowMs,
        service: SERVICE,
        desired,
        serving: read,
        observations: policy.rules.map(() => observation),
        single: false,
      };
      const { output } = governor.evaluate(situation, startDelayMs);
      governor.commit(output);
      return output.evaluation.to;
    },
  };
}

/**
 * The policy of labels in one line, as `autoscale.max_cpu=70,autoscale.step=2`, for replicas of one core each.
 *
 * @param bounds the model's, where the labels name none
 * @throws FlyballError LABEL_INVALID with every problem
 */
export function policyOfLabels(text: string, bounds: { readonly maxReplicas: number }): ScalingPolicy {
  const labels = readLabels(text);
  const namesMax = [LABELS.max.key, ...LABELS.max.aliases].some((key) => Object.hasOwn(labels, key));
  const scaling = decoded(namesMax ? labels : { ...labels, [LABELS.max.key]: String(bounds.maxReplicas) }, {
    limitCores: 1,
    limitMemoryBytes: 1,
  });
  const other = scaling.rules.find(({ metric }) => metric !== "cpu");
  if (other !== undefined) {
    throw invalid(`a trace is demand for CPU: expected rules on cpu alone, got one on ${other.metric}`);
  }
  return scaling;
}

/**
 * The policy of labels in one line for a service whose replicas have these resources.
 *
 * @param defaults of the configuration, as the daemon has them
 * @throws FlyballError LABEL_INVALID with every problem
 */
export function servicePolicyOfLabels(
  text: string,
  resources: Resources,
  defaults: Readonly<Record<string, string>> = {},
): ScalingPolicy {
  return decoded(readLabels(text), resources, defaults);
}

function decoded(
  labels: Readonly<Record<string, string>>,
  resources: Resources,
  defaults: Readonly<Record<string, string>> = {},
): ScalingPolicy {
  const { scaling, diagnostics } = decodeLabels(labels, resources, "labels", { defaults });
  const problems = diagnostics.filter(({ severity }) => severity === "error");
  if (problems.length > 0 || scaling === undefined) {
    throw invalid(
      "the labels cannot be used",
      problems.map(({ path, message }) => ({ at: path ?? "labels", message })),
    );
  }
  return scaling;
}

/** A comma ends a label only where the next one begins: values may hold commas. */
const BETWEEN_LABELS = /,(?=\s*[a-z][\w.-]*\s*=)/i;

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const part of text.split(BETWEEN_LABELS)) {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (key === undefined || value === undefined) {
      throw invalid(
        `expected labels as ${LABELS.maxCpu.key}=70,${LABELS.step.key}=2, got ${JSON.stringify(part)}`,
      );
    }
    if (Object.hasOwn(labels, key)) throw invalid(`expected each label once, got ${key} twice`);
    labels[key] = value;
  }
  return labels;
}

function invalid(message: string, problems: { at: string; message: string }[] = []): FlyballError {
  return new FlyballError("LABEL_INVALID", message, { problems });
}
