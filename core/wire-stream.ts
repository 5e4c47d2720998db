import { z } from "zod";
import { replicaViewSchema, serviceViewSchema } from "./wire.ts";

/**
 * What travels on `/v1/stream`, as JSON text. Every frame names its `type`; events have a sequence number that grows by
 * one over all topics, so that a client of some topics sees gaps that mean nothing.
 */

/** `flyball.v1` is the subprotocol; a browser, which cannot set headers, adds `bearer.<token in base64url>`. */
export const STREAM_PROTOCOL = "flyball.v1";
export const BEARER_PROTOCOL = "bearer.";

export const TOPICS = ["samples", "decisions", "actions", "alerts"] as const;
export const topicSchema = z.enum(TOPICS);
export type Topic = z.infer<typeof topicSchema>;

/** The last event that a client has seen, and the run of the daemon whose numbers these are. */
export const positionSchema = z.strictObject({ epoch: z.string().min(1).max(64), seq: z.int().min(0) });
export type StreamPosition = z.infer<typeof positionSchema>;

/** Takes the place of what the client was subscribed to before. */
export const clientFrameSchema = z.strictObject({
  type: z.literal("subscribe"),
  topics: z.array(topicSchema).min(1).max(TOPICS.length),
  /** Absent: from now on. */
  since: positionSchema.optional(),
});
export type ClientFrame = z.infer<typeof clientFrameSchema>;

export const serverFrameSchema = z.discriminatedUnion("type", [
  /** First of all. A heartbeat comes at least as often as it says. */
  z.object({ type: z.literal("hello"), epoch: z.string(), seq: z.number(), heartbeatMs: z.number() }),
  /**
   * Answers `subscribe`; what was missed follows. With `complete: false` something that was missed is not kept any more:
   * read the whole from the API, and go on from `seq`.
   */
  z.object({
    type: z.literal("subscribed"),
    topics: z.array(topicSchema),
    seq: z.number(),
    complete: z.boolean(),
  }),
  z.object({
    type: z.literal("event"),
    topic: topicSchema,
    seq: z.number(),
    atMs: z.number(),
    data: z.unknown(),
  }),
  z.object({ type: z.literal("heartbeat"), seq: z.number(), atMs: z.number() }),
  /** The frame that came cannot be used; the connection stays. */
  z.object({ type: z.literal("problem"), detail: z.string() }),
]);
export type ServerFrame = z.infer<typeof serverFrameSchema>;

/** Why the server ends a connection. */
export const CLOSE_CODES = {
  goingAway: 1001,
  refused: 1008,
  tooLarge: 1009,
  /** It reads slower than events come; it may connect again and go on from the last one that it saw. */
  tooSlow: 1013,
} as const;

/** Readings of the moment, the newest alone: one that was missed is of no use. */
export const samplesSchema = z.object({
  services: z.array(
    serviceViewSchema.pick({ id: true, replicas: true, load: true }).extend({
      replicaList: z.array(
        replicaViewSchema
          .pick({ id: true, slot: true, state: true, cpuCores: true, memoryWorkingSetBytes: true })
          .extend({ requestsPerSecond: z.number().optional(), latencyMs: z.number().optional() }),
      ),
    }),
  ),
});
export type StreamSamples = z.infer<typeof samplesSchema>;

/** One action of a plan that ended. */
export const actionEventSchema = z.object({
  service: z.string().optional(),
  action: z.string(),
  cause: z.string(),
  outcome: z.enum(["done", "failed", "skipped"]),
  error: z.string().optional(),
  tookMs: z.number(),
});
export type ActionEvent = z.infer<typeof actionEventSchema>;
