import { z } from "zod";

/** Jobs and their runs as the API says them; see core/wire.ts. */

const taskSchema = z.object({
  /** From 0. */
  index: z.number(),
  state: z.enum(["waiting", "starting", "running", "succeeded", "failed", "stopped"]),
  /** From 1. */
  attempt: z.number(),
  startedAtMs: z.number().exactOptional(),
  endedAtMs: z.number().exactOptional(),
  exitCode: z.number().exactOptional(),
  reason: z.string().exactOptional(),
});

export const runSchema = z.object({
  /** `shop_backup@20261121T030000Z`. */
  id: z.string(),
  /** What is behind the `@`. */
  name: z.string(),
  service: z.string(),
  trigger: z.enum(["schedule", "after", "once", "manual"]),
  state: z.enum([
    "pending",
    "running",
    "stopping",
    "succeeded",
    "failed",
    "timed-out",
    "replaced",
    "cancelled",
    "missed",
  ]),
  dueAtMs: z.number(),
  startedAtMs: z.number().exactOptional(),
  endedAtMs: z.number().exactOptional(),
  /** Why it ended as it did, or what it waits for. */
  reason: z.string().exactOptional(),
  /** On a missed one that stands for all that were due up to then. */
  missedUntilMs: z.number().exactOptional(),
  tasks: z.array(taskSchema).readonly(),
});

export const runListSchema = z.object({ runs: z.array(runSchema).readonly() });

const jobSchema = z.object({
  service: z.string(),
  project: z.string(),
  name: z.string(),
  /** When it is due, for a person. */
  due: z.string(),
  nextDueAtMs: z.number().exactOptional(),
  /** Those that are not over, oldest first. */
  active: z.array(runSchema).readonly(),
  last: runSchema.exactOptional(),
  lastSuccessAtMs: z.number().exactOptional(),
});

export const jobListSchema = z.object({ jobs: z.array(jobSchema).readonly() });

/** The end of what replicas of a service wrote, or the tasks of one run of a job; secrets masked. */
export const logsSchema = z.object({
  service: z.string(),
  /** For a job. */
  run: runSchema.exactOptional(),
  parts: z.array(z.object({ name: z.string(), text: z.string() })).readonly(),
});

export type RunAnswer = z.infer<typeof runSchema>;
export type JobAnswer = z.infer<typeof jobSchema>;
export type LogsAnswer = z.infer<typeof logsSchema>;
