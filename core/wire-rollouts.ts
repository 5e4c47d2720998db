import { z } from "zod";

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
  sentence: z.string(),
});

export const rolloutListSchema = z.object({ rollouts: z.array(rolloutSchema) });

export type RolloutAnswer = z.infer<typeof rolloutSchema>;
