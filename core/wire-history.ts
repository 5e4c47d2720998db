import { z } from "zod";

/** A scaling policy and the past of a service as the API says them; see core/wire.ts. Read back as they were written. */

export const ruleMetricSchema = z.enum(["cpu", "memory", "rps", "latency", "query"]);

export const scalingPolicySchema = z.object({
  rules: z
    .array(
      z.object({
        metric: ruleMetricSchema,
        max: z.number(),
        min: z.number().exactOptional(),
        capacity: z.number().exactOptional(),
        enforced: z.boolean().exactOptional(),
        expression: z.string().exactOptional(),
      }),
    )
    .readonly(),
  kind: z.enum(["step", "target"]),
  minReplicas: z.number(),
  maxReplicas: z.number(),
  step: z.number(),
  windowMs: z.number(),
  cooldownMs: z.number(),
  stabilizationMs: z.number().exactOptional(),
  scaleInsPerHour: z.number().exactOptional(),
  schedule: z
    .array(
      z.object({
        cron: z.string(),
        timeZone: z.string().exactOptional(),
        minReplicas: z.number(),
        maxReplicas: z.number(),
      }),
    )
    .readonly(),
  predict: z.boolean(),
  dryRun: z.boolean(),
  onExternalChange: z.enum(["adopt", "restore", "hold"]).exactOptional(),
});

/** What each replica may use; levels are shares of it. */
export const resourcesSchema = z.object({
  limitCores: z.number().exactOptional(),
  limitMemoryBytes: z.number().exactOptional(),
  reservedCores: z.number().exactOptional(),
  reservedMemoryBytes: z.number().exactOptional(),
  limitPids: z.number().exactOptional(),
});

/** A service over one minute of the wall clock. */
export const historyMinuteSchema = z.object({
  /** When it began. */
  atMs: z.number(),
  /** Instants that were read in it; fewer than usual where something was missing. */
  readings: z.number(),
  /** Mean over the minute. */
  replicas: z.number(),
  /**
   * Of the service as a whole, mean over the minute, in the unit of the rule on it: cpu and memory in what one replica
   * may use, requests in requests per second. What was not read, or has nothing to be a share of, is absent.
   */
  demand: z.object({
    cpu: z.number().exactOptional(),
    memory: z.number().exactOptional(),
    rps: z.number().exactOptional(),
  }),
});

export const historySchema = z.object({
  service: z.string(),
  /** What is answered: minutes that began at `fromMs` or later and before `toMs`. */
  fromMs: z.number(),
  toMs: z.number(),
  /** There is more to ask for: from here on. */
  nextFromMs: z.number().exactOptional(),
  resources: resourcesSchema,
  /** Absent: the service has no rule. */
  scaling: scalingPolicySchema.exactOptional(),
  /** How long a replica takes to serve, as far as it was learned. */
  startupMs: z.number().exactOptional(),
  minutes: z.array(historyMinuteSchema).readonly(),
});

/** The rules of a service are not what they were. */
export const scalingChangeSchema = z.object({
  service: z.string(),
  /** Absent: it had none. */
  before: scalingPolicySchema.exactOptional(),
  after: scalingPolicySchema,
});

export type History = z.infer<typeof historySchema>;
export type HistoryMinute = z.infer<typeof historyMinuteSchema>;
export type ScalingChange = z.infer<typeof scalingChangeSchema>;
