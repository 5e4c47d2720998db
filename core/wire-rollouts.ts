import { z } from "zod";

const countSchema = z.object({ replicas: z.number(), wanted: z.number() });

/** Two templates of a service side by side, until one of them is chosen. */
const trialSchema = z.object({
  kind: z.enum(["canary", "blue-green"]),
  /** Share of the requests that go to the new one. */
  weightRatio: z.number(),
  /** The weights that follow by themselves. */
  nextRatios: z.array(z.number()).readonly(),
  /** Replicas of the new template. */
  fresh: countSchema,
  /** Replicas of the one before. */
  old: countSchema,
  /** Before it goes on. */
  waitsFor: z.string().exactOptional(),
});

/** Rollouts as the API says them; see core/wire.ts. Revisions count the templates of a service. */
export const rolloutSchema = z.object({
  service: z.string(),
  state: z.enum(["updating", "rolling back", "paused", "done", "rolled back"]),
  revision: z.number().exactOptional(),
  templateHash: z.string(),
  previousRevision: z.number().exactOptional(),
  previousTemplateHash: z.string().exactOptional(),
  /** Replicas of the new template that have proven healthy. */
  updated: z.number(),
  total: z.number(),
  failures: z.number(),
  startedAtMs: z.number(),
  endedAtMs: z.number().exactOptional(),
  reason: z.string().exactOptional(),
  trial: trialSchema.exactOptional(),
  sentence: z.string(),
});

export const rolloutListSchema = z.object({ rollouts: z.array(rolloutSchema) });

/** What is said of a service that is on trial. */
export const trialChangeSchema = z.discriminatedUnion("do", [
  /** Without a weight the new template it is. */
  z.strictObject({ do: z.literal("promote"), weightRatio: z.number().min(0).max(1).exactOptional() }),
  /** The template before it is. */
  z.strictObject({ do: z.literal("abort") }),
]);

const stepSchema = z.number().gt(0).lt(1);

/** How what changes in a project is tried beside what runs. */
export const trialRequestSchema = z.strictObject({
  kind: z.enum(["canary", "blue-green"]),
  /** Of a canary: its first share of the requests. */
  weightRatio: stepSchema.exactOptional(),
  /** Shares that it goes through by itself, ascending. */
  stepRatios: z
    .array(stepSchema)
    .max(20)
    .refine(
      (steps) => steps.every((step, index) => step > (steps[index - 1] ?? 0)),
      "expected ascending shares",
    )
    .exactOptional(),
  /** How long each is watched. */
  stepMs: z.number().int().min(1_000).max(86_400_000).exactOptional(),
});

export type TrialChange = z.infer<typeof trialChangeSchema>;
export type TrialAsked = z.infer<typeof trialRequestSchema>;
export type RolloutAnswer = z.infer<typeof rolloutSchema>;
