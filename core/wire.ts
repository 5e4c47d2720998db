import { z } from "zod";
import { DAY_MS, parseDurationMs, SECOND_MS } from "./units.ts";
import { ruleMetricSchema, scalingChangeSchema } from "./wire-history.ts";
import { trialRequestSchema } from "./wire-rollouts.ts";

/**
 * What the API says and hears. The API validates and documents with these schemas, and the command reads answers
 * with the same ones. Instants are milliseconds since 1970 UTC, ratios 0..1.
 */

/** Levels are in the unit of their metric: cpu and memory 0..1, rps per replica, latency in milliseconds. */
export const ruleVerdictSchema = z.object({
  metric: ruleMetricSchema,
  wants: z.enum(["out", "in", "hold", "unknown"]),
  asksFor: z.number().optional(),
  level: z.number().optional(),
  burstLevel: z.number().optional(),
  risingTo: z.number().optional(),
  max: z.number(),
  min: z.number().optional(),
  saturated: z.literal(true).optional(),
  replicasRead: z.number(),
  replicasServing: z.number(),
  ageMs: z.number().optional(),
});

export const appliedLimitSchema = z.object({
  limit: z.string(),
  from: z.number(),
  to: z.number(),
  remainingMs: z.number().optional(),
  level: z.number().optional(),
  metric: z.string().optional(),
  gapMs: z.number().optional(),
  schedule: z.string().optional(),
});

export const decisionSchema = z.object({
  service: z.string(),
  atMs: z.number(),
  from: z.number(),
  wanted: z.number(),
  to: z.number(),
  sentence: z.string(),
  verdicts: z.array(ruleVerdictSchema).readonly(),
  limits: z.array(appliedLimitSchema).readonly(),
  /** Evaluations in a row that came out the same are kept as one: how many, and the last of them. */
  evaluations: z.number().optional(),
  lastAtMs: z.number().optional(),
});

export const endpointSchema = z.object({ targetPort: z.number(), host: z.string(), port: z.number() });

export const replicaViewSchema = z.object({
  id: z.string(),
  slot: z.number(),
  name: z.string(),
  state: z.enum([
    "created",
    "starting",
    "running",
    "unhealthy",
    "paused",
    "restarting",
    "stopping",
    "exited",
  ]),
  origin: z.enum(["flyball", "compose"]),
  pid: z.number().optional(),
  createdAtMs: z.number().optional(),
  startedAtMs: z.number().optional(),
  readyAtMs: z.number().optional(),
  exitCode: z.number().optional(),
  oomKilled: z.boolean().optional(),
  /** By the engine's own id. */
  imageId: z.string().optional(),
  /** How often the engine itself has started it again. */
  restarts: z.number().optional(),
  /** It is to be replaced: its liveness check has failed as often as it may. */
  live: z.literal(false).optional(),
  notReadyBecause: z.string().optional(),
  endpoints: z.array(endpointSchema),
  notEnforced: z.array(z.string()),
  cpuCores: z.number().optional(),
  memoryWorkingSetBytes: z.number().optional(),
});

/** `live` the service is scaled · `shadow` only watched until its rules are approved · `paused` only watched. */
export const autoscaleModeSchema = z.enum(["live", "shadow", "paused"]);

export const serviceViewSchema = z.object({
  id: z.string(),
  project: z.string(),
  name: z.string(),
  replicas: z.object({
    desired: z.number(),
    /** That exist and have not ended. */
    running: z.number(),
    ready: z.number(),
    min: z.number().optional(),
    max: z.number().optional(),
  }),
  /** Means over the ready replicas; absent where nothing was read. */
  load: z.object({
    cpuRatio: z.number().optional(),
    memoryRatio: z.number().optional(),
    cpuCores: z.number().optional(),
    memoryWorkingSetBytes: z.number().optional(),
    readAtMs: z.number().optional(),
  }),
  autoscale: z
    .object({
      maxCpuRatio: z.number().optional(),
      maxMemoryRatio: z.number().optional(),
      step: z.number(),
      dryRun: z.boolean(),
      /** Absent: not evaluated yet. */
      mode: autoscaleModeSchema.optional(),
    })
    .optional(),
  businessLabels: z.record(z.string(), z.string()),
  lastDecision: decisionSchema.optional(),
});

export const serviceDetailSchema = serviceViewSchema.extend({
  replicaList: z.array(replicaViewSchema),
  /** What was left as it is though it is not as desired, and why. */
  holds: z.array(z.string()),
});

export const serviceListSchema = z.object({ services: z.array(serviceViewSchema) });
/** How many of the recorded evaluations come out the same, byte for byte, when they are decided again. */
export const verificationSchema = z.object({
  recorded: z.number(),
  identical: z.number(),
  firstDifference: z.object({ atMs: z.number(), recorded: z.string(), replayed: z.string() }).optional(),
});
export const decisionListSchema = z.object({
  decisions: z.array(decisionSchema),
  /** When it was asked for. */
  verification: verificationSchema.optional(),
});

/** What it takes for another count: readings changed by a factor, to beyond these levels, for so long. */
const alternativeSchema = z.object({
  to: z.number(),
  factor: z.number(),
  levels: z.array(z.object({ metric: z.string(), level: z.number() })).readonly(),
  afterMs: z.number(),
});

export const explanationSchema = z.object({
  decision: decisionSchema.optional(),
  mode: autoscaleModeSchema.optional(),
  /** What would have to change for another result. */
  whatIf: z
    .object({
      /** If all stays as it is. */
      later: z.object({ to: z.number(), afterMs: z.number() }).optional(),
      /** One for each rule that could ask for more. */
      more: z.array(alternativeSchema).readonly(),
      fewer: alternativeSchema.optional(),
      /** The limit that keeps it from more, or from fewer, whatever is read. */
      mostBecause: z.string().optional(),
      leastBecause: z.string().optional(),
    })
    .optional(),
  lines: z.array(z.string()).readonly(),
});

/** `resumed` ends a pause and leaves the rest as it was. */
export const autoscaleRequestSchema = z.strictObject({
  mode: z.enum(["live", "shadow", "paused", "resumed"]),
});
export const autoscaleAnswerSchema = z.object({ service: z.string(), mode: autoscaleModeSchema });

export const scaleRequestSchema = z.strictObject({
  replicas: z.int().min(0).max(100_000),
  reason: z.string().max(500).optional(),
  /** How long the count stays, whatever the rules want, as `30m`; absent: the rules go on from it. */
  for: z
    .string()
    .refine((text) => isHoldDuration(text), 'expected a duration from 1s to 30d, as "30m"')
    .optional(),
});
export const scaleAnswerSchema = z.object({
  service: z.string(),
  from: z.number(),
  to: z.number(),
  /** When the rules go on. */
  heldUntilMs: z.number().optional(),
});

/** The normalized compose model, as `docker compose config --format json` prints it, and where it came from. */
export const projectRequestSchema = z.strictObject({
  compose: z.record(z.string(), z.unknown()),
  workingDirectory: z.string().min(1),
  composeFiles: z.array(z.string()),
  /** Absent: what changes is rolled out at once. */
  trial: trialRequestSchema.exactOptional(),
});

export const diagnosticSchema = z.object({
  severity: z.enum(["error", "warning"]),
  path: z.string(),
  message: z.string(),
  file: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
});

export const planLineSchema = z.object({
  /** One engine call, as `create shop-web-2`. */
  action: z.string(),
  cause: z.string(),
});

/** What was found in a project, and what applying it does (or, for a plan, would do). */
export const projectAnswerSchema = z.object({
  project: z.string(),
  services: z.array(z.string()),
  diagnostics: z.array(diagnosticSchema),
  plan: z.array(planLineSchema),
  holds: z.array(z.string()),
  /** Of a plan: services whose rules are new or others than the daemon has. */
  scalingChanges: z.array(scalingChangeSchema).readonly().optional(),
});

/** A change of a count, or of a whole project, that no rule has made. */
export const auditLineSchema = z.object({
  atMs: z.number(),
  project: z.string(),
  /** Absent: it is about the whole project. */
  service: z.string().optional(),
  /** `api`, `docker compose`, `somebody`, or that it cannot be told. */
  who: z.string(),
  /** `scale` asked for by hand · `external` done past Flyball · `down`, `stopped` nothing of it runs any more. */
  what: z.enum(["scale", "external", "down", "stopped"]),
  from: z.number().optional(),
  to: z.number().optional(),
  /** By which `autoscale.on_external_change` it was settled. */
  policy: z.string().optional(),
  sentence: z.string(),
});
export const auditSchema = z.object({ lines: z.array(auditLineSchema) });

export const readinessSchema = z.object({
  ready: z.boolean(),
  engine: z.string(),
  collector: z.string(),
  /** Absent: never observed yet. */
  observedAtMs: z.number().optional(),
});

/** RFC 9457. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ at: z.string(), message: z.string() })).optional(),
});

export type ReplicaView = z.infer<typeof replicaViewSchema>;
export type ServiceView = z.infer<typeof serviceViewSchema>;
export type ServiceDetail = z.infer<typeof serviceDetailSchema>;
export type DecisionView = z.infer<typeof decisionSchema>;
export type Explanation = z.infer<typeof explanationSchema>;
export type Verification = z.infer<typeof verificationSchema>;
export type AutoscaleRequest = z.infer<typeof autoscaleRequestSchema>;
export type AutoscaleAnswer = z.infer<typeof autoscaleAnswerSchema>;
export type ScaleRequest = z.infer<typeof scaleRequestSchema>;
export type ScaleAnswer = z.infer<typeof scaleAnswerSchema>;
export type ProjectRequest = z.infer<typeof projectRequestSchema>;
export type ProjectAnswer = z.infer<typeof projectAnswerSchema>;
export type AuditLine = z.infer<typeof auditLineSchema>;
export type Readiness = z.infer<typeof readinessSchema>;
export type ProblemDocument = z.infer<typeof problemSchema>;

function isHoldDuration(text: string): boolean {
  const durationMs = parseDurationMs(text) ?? 0;
  return durationMs >= SECOND_MS && durationMs <= 30 * DAY_MS;
}
