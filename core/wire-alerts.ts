import { z } from "zod";

/** Alerts, silences and channels as the API says and hears them; see core/wire.ts. */

const severitySchema = z.enum(["critical", "warning", "info"]);
const labelsSchema = z.record(z.string(), z.string());
const acknowledgementSchema = z.object({ by: z.string(), comment: z.string(), atMs: z.number() });

export const alertSchema = z.object({
  /** Names it in a request; the same each time that the same thing is wrong. */
  id: z.string(),
  state: z.enum(["pending", "firing", "resolved"]),
  severity: severitySchema,
  labels: labelsSchema,
  summary: z.string(),
  advice: z.string(),
  pendingAtMs: z.number(),
  firingAtMs: z.number().exactOptional(),
  resolvedAtMs: z.number().exactOptional(),
  /** Since when nothing is known of it: it stays as it is until something is. */
  missingSinceMs: z.number().exactOptional(),
  acknowledged: acknowledgementSchema.exactOptional(),
  /** Why nobody is told of it: `silence <id>`, `inhibited by <id>`, `acknowledged`. */
  suppressedBy: z.string().exactOptional(),
});

export const channelViewSchema = z.object({
  name: z.string(),
  kind: z.enum(["email", "slack", "webhook"]),
  /** Notifications that wait to be delivered. */
  waiting: z.number(),
  /** Notifications that were given up, and not yet said to have been. */
  lost: z.number(),
  failingSinceMs: z.number().exactOptional(),
  trouble: z.string().exactOptional(),
});

export const alertListSchema = z.object({
  alerts: z.array(alertSchema).readonly(),
  channels: z.array(channelViewSchema).readonly(),
});

export const ackRequestSchema = z.strictObject({
  by: z.string().min(1).max(200),
  comment: z.string().max(2_000).default(""),
});

export const matcherSchema = z.strictObject({
  name: z.string().regex(/^[a-zA-Z_]\w*$/u, "expected a label's name"),
  value: z.string().max(500),
  isEqual: z.boolean().default(true),
  isRegex: z.boolean().default(false),
});

export const silenceRequestSchema = z
  .strictObject({
    matchers: z
      .array(matcherSchema)
      .min(1, "expected a matcher at least: a silence of everything is a mistake")
      .max(20),
    /** Absent: from now on. */
    startsAtMs: z.number().exactOptional(),
    endsAtMs: z.number(),
    author: z.string().min(1).max(200),
    comment: z.string().max(2_000).default(""),
  })
  .refine(({ startsAtMs = 0, endsAtMs }) => startsAtMs < endsAtMs, {
    path: ["endsAtMs"],
    error: "expected an instant after startsAtMs",
  });

export const silenceSchema = z.object({
  id: z.string(),
  state: z.enum(["pending", "active", "expired"]),
  matchers: z.array(matcherSchema).readonly(),
  startsAtMs: z.number(),
  endsAtMs: z.number(),
  createdAtMs: z.number(),
  author: z.string(),
  comment: z.string(),
  /** Firing alerts that it keeps quiet now. */
  alerts: z.number(),
});
export const silenceListSchema = z.object({ silences: z.array(silenceSchema).readonly() });

export const channelTestSchema = z.object({
  channel: z.string(),
  delivered: z.boolean(),
  tookMs: z.number(),
  /** Why it was not delivered. */
  problem: z.string().exactOptional(),
});

export type AlertView = z.infer<typeof alertSchema>;
export type AlertList = z.infer<typeof alertListSchema>;
export type ChannelView = z.infer<typeof channelViewSchema>;
export type AckRequest = z.infer<typeof ackRequestSchema>;
export type SilenceAsked = z.infer<typeof silenceRequestSchema>;
export type SilenceView = z.infer<typeof silenceSchema>;
export type ChannelTest = z.infer<typeof channelTestSchema>;
