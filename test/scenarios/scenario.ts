import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { decodeLabels } from "../../core/labels.ts";
import type { Decision, Resources, ScalingPolicy } from "../../core/types.ts";
import { parseBytes, parseDurationMs, SECOND_MS } from "../../core/units.ts";
import { ClosedLoop, type Readings, shareOf } from "../scaler/closed-loop.ts";
import { DEMAND, parseSeries, type Series } from "./series.ts";

const duration = z.string().transform((text, context) => {
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined && durationMs % SECOND_MS === 0) return durationMs;
  context.addIssue(`expected whole seconds, as 15s or 2m, got ${JSON.stringify(text)}`);
  return z.NEVER;
});

const series = z.string().transform((text, context) => {
  try {
    return parseSeries(text);
  } catch (error) {
    context.addIssue(String(error));
    return z.NEVER;
  }
});

const readings = z.strictObject({ cpu: series.optional(), memory: series.optional() });

const schema = z.strictObject({
  /** What happens, and what should come of it. */
  story: z.string(),
  labels: z.record(z.string(), z.string()),
  /** As `deploy.resources.limits`; without them a replica has one core. */
  limits: z.strictObject({ cpus: z.coerce.number().optional(), memory: z.string().optional() }).default({}),
  /** At the start, all of them serving. */
  replicas: z.int().min(0),
  /** From the order of a replica until it serves. */
  startup: duration.default(2_000),
  /** CPU in replicas' worth of work, shared by those that serve; each can do 1. */
  demand: series.optional(),
  /** What each replica is read at, by its slot; `all` those that are not named. */
  readings: z.record(z.string(), readings).default({}),
  lasts: duration,
  /** Every change of the count, as `12s: 1 → 3`. */
  changes: z.array(z.string()),
  expect: z
    .array(
      z.strictObject({
        at: duration,
        replicas: z.int().optional(),
        /** The limits that were applied, in order. */
        limits: z.array(z.string()).optional(),
        /** A part of the sentence. */
        says: z.string().optional(),
      }),
    )
    .default([]),
});

export type Scenario = z.infer<typeof schema>;

/** @throws Error that names every place where the file is not a scenario */
export function readScenario(path: string): Scenario {
  const result = schema.safeParse(parse(readFileSync(path, "utf8")));
  if (result.success) return result.data;
  throw new Error(`${path} is not a scenario:\n${z.prettifyError(result.error)}`);
}

/** The decision of each second; the first one is that of second 1. */
export function play(scenario: Scenario): Decision[] {
  const loop = new ClosedLoop({
    policy: policyOf(scenario),
    replicas: scenario.replicas,
    startupMs: scenario.startup,
    read: (second, slot, serving) => readingsOf(scenario, second, slot, serving),
  });
  return Array.from({ length: scenario.lasts / SECOND_MS }, () => loop.step());
}

function policyOf({ labels, limits }: Scenario): ScalingPolicy {
  const resources: Resources = {
    ...(limits.cpus === undefined ? {} : { limitCores: limits.cpus }),
    ...(limits.memory === undefined ? {} : { limitMemoryBytes: parseBytes(limits.memory) ?? Number.NaN }),
  };
  const { scaling, diagnostics } = decodeLabels(labels, resources, "labels");
  if (scaling !== undefined) return scaling;
  throw new Error(diagnostics.map(({ path, message }) => `${path} ${message}`).join("\n"));
}

function readingsOf({ demand, readings }: Scenario, second: number, slot: number, serving: number): Readings {
  const { cpu, memory } = readings[String(slot)] ?? readings["all"] ?? {};
  const share = (): number | undefined => {
    const wanted = demand?.at(second);
    return typeof wanted === "number" ? shareOf(wanted, serving) : undefined;
  };
  const valueIn = (series: Series) => {
    const value = series.at(second);
    return value === DEMAND ? share() : value;
  };
  const cpuRatio = cpu === undefined ? share() : valueIn(cpu);
  const memoryRatio = memory === undefined ? undefined : valueIn(memory);
  return {
    ...(cpuRatio === undefined ? {} : { cpu: cpuRatio }),
    ...(memoryRatio === undefined ? {} : { memory: memoryRatio }),
  };
}
