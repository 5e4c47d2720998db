import { z } from "zod";
import {
  ackRequestSchema,
  alertListSchema,
  alertSchema,
  channelTestSchema,
  silenceListSchema,
  silenceRequestSchema,
  silenceSchema,
} from "../core/wire-alerts.ts";
import { limit } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const LIMIT = { bytes: 2 ** 16, code: "REQUEST_INVALID" } as const;
const alertParams = z.object({ id: z.string().min(1).describe("of an alert") });
const silenceParams = z.object({ id: z.string().min(1).describe("of a silence") });

/** Who may scale by hand may also say that an alert is known. */
export const ALERT_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/alerts",
    tag: "alerts",
    summary: "firing and pending alerts, then those that ended last, and how each channel fares",
    schemas: { query: z.object({ limit }), answer: alertListSchema },
    handler: ({ alerts }, { query }) => ({ json: alerts.list(query.limit) }),
  }),
  route({
    method: "POST",
    path: "/v1/alerts/:id/ack",
    tag: "alerts",
    summary: "says that an alert is known: nobody is told of it again until it has resolved",
    scope: "scale",
    schemas: { params: alertParams, body: ackRequestSchema, answer: alertSchema },
    bodyLimit: LIMIT,
    handler: ({ alerts }, { params, body }) => ({ json: alerts.acknowledge(params.id, body) }),
  }),
  route({
    method: "GET",
    path: "/v1/silences",
    tag: "alerts",
    summary: "who is not told of what, until when and why",
    schemas: { answer: silenceListSchema },
    handler: ({ alerts }) => ({ json: { silences: alerts.silences() } }),
  }),
  route({
    method: "POST",
    path: "/v1/silences",
    tag: "alerts",
    summary: "keeps alerts quiet for a while",
    statuses: [201],
    scope: "scale",
    schemas: { body: silenceRequestSchema, answer: silenceSchema },
    bodyLimit: LIMIT,
    handler: ({ alerts }, { body }) => ({ json: alerts.silence(body) }),
  }),
  route({
    method: "DELETE",
    path: "/v1/silences/:id",
    tag: "alerts",
    summary: "ends a silence",
    scope: "scale",
    schemas: { params: silenceParams, answer: silenceSchema },
    handler: ({ alerts }, { params }) => ({ json: alerts.endSilence(params.id) }),
  }),
  route({
    method: "POST",
    path: "/v1/channels/:name/test",
    tag: "alerts",
    summary: "sends a test notification, and says whether it was taken",
    schemas: {
      params: z.object({ name: z.string().min(1).describe("of a channel of the configuration") }),
      answer: channelTestSchema,
    },
    handler: async ({ alerts }, { params }) => ({ json: await alerts.test(params.name) }),
  }),
];
