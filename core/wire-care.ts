import { z } from "zod";

/** What replicas left behind, and what stands in the way of more of them, as the API says it. */

/** What was kept of a replica that failed, before it was started again or replaced. */
const failureSchema = z.object({
  service: z.string(),
  slot: z.number(),
  replica: z.string(),
  name: z.string(),
  failure: z.enum(["error", "oom", "restarting", "unhealthy"]),
  /** A clause for a person, as `ended with status 3`. */
  reason: z.string(),
  takenAtMs: z.number(),
  startedAtMs: z.number().optional(),
  exitedAtMs: z.number().optional(),
  exitCode: z.number().optional(),
  oomKilled: z.boolean().optional(),
  /** Its last lines: 100 or 16 KiB at most. */
  log: z.string().optional(),
  /** The engine's own description of it, secrets masked. */
  inspect: z.unknown().optional(),
  /** What could not be had, and why. */
  missing: z.array(z.string()).readonly(),
});
export const failureListSchema = z.object({ failures: z.array(failureSchema).readonly() });

const verdictSchema = z.object({
  service: z.string(),
  verdict: z.enum(["can", "can-after", "cannot"]),
  sentence: z.string(),
  findings: z
    .array(
      z.object({
        rule: z.string(),
        effect: z.enum(["cannot", "after", "note"]),
        because: z.string(),
        change: z.string(),
      }),
    )
    .readonly(),
});

const leftoverSchema = z.object({
  /** Names it in a request: `volume 3f0c…`. */
  key: z.string(),
  kind: z.enum(["replica", "volume", "image", "log", "record"]),
  name: z.string(),
  service: z.string().optional(),
  /** Absent: nobody has counted. */
  bytes: z.number().optional(),
  why: z.string(),
});

/** What could be removed, and what could not though it looks like it. */
export const leftoversSchema = z.object({
  items: z.array(leftoverSchema).readonly(),
  kept: z.array(z.string()).readonly(),
});

export const doctorSchema = z.object({
  services: z.array(verdictSchema).readonly(),
  /** Absent where nobody has looked. */
  leftovers: leftoversSchema.optional(),
  /** What could not be looked at, and why. */
  missing: z.array(z.string()).readonly(),
});

export const sweepRequestSchema = z.strictObject({
  /** Of `leftovers`, those that are to go. */
  keys: z.array(z.string()).max(100_000),
});
/** Those that could still go; without a `problem` they are gone. */
export const sweptSchema = z.object({
  swept: z.array(leftoverSchema.extend({ problem: z.string().optional() })).readonly(),
});

export type FailureView = z.infer<typeof failureSchema>;
export type VerdictView = z.infer<typeof verdictSchema>;
export type Doctor = z.infer<typeof doctorSchema>;
export type Leftovers = z.infer<typeof leftoversSchema>;
export type SweepRequest = z.infer<typeof sweepRequestSchema>;
export type Swept = z.infer<typeof sweptSchema>;
