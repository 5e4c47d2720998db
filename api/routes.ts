import { z } from "zod";
import {
  auditSchema,
  autoscaleAnswerSchema,
  autoscaleRequestSchema,
  decisionListSchema,
  explanationSchema,
  projectAnswerSchema,
  projectRequestSchema,
  readinessSchema,
  scaleAnswerSchema,
  scaleRequestSchema,
  serviceDetailSchema,
  serviceListSchema,
} from "../core/wire.ts";
import { historySchema } from "../core/wire-history.ts";
import { ACCESS_ROUTES } from "./access.ts";
import { ALERT_ROUTES } from "./alerts.ts";
import { CARE_ROUTES } from "./care.ts";
import { DISCOVERY_ROUTES } from "./discovery.ts";
import { JOB_ROUTES } from "./jobs.ts";
import { openApi } from "./openapi/page.ts";
import { openApiSchema } from "./openapi/schema.ts";
import { limit, serviceParams } from "./parameters.ts";
import { RequestRefused } from "./problem.ts";
import { ROLLOUT_ROUTES } from "./rollouts.ts";
import { type BodyLimit, type Route, route } from "./route.ts";
import { STREAM_PATH } from "./stream/upgrade.ts";

const MEBIBYTE = 2 ** 20;
const SCALE_LIMIT: BodyLimit = { bytes: MEBIBYTE, code: "REQUEST_INVALID" };
const PROJECT_LIMIT: BodyLimit = { bytes: 8 * MEBIBYTE, code: "COMPOSE_TOO_LARGE" };

const projectParams = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]*$/, "expected a project name: lower-case letters, digits, _ and -")
    .describe("of a project"),
});

const flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");

const decisionsQuery = z.object({
  limit,
  changes: flag.describe("only those that changed the count"),
  verify: flag.describe("decide again on all that are recorded, and compare"),
});

const LATEST_INSTANT_MS = 8_640_000_000_000_000;
const EXPECTED_INSTANT =
  "expected an instant, as 2026-11-21T08:00:00Z or milliseconds since 1970 (a + is written %2B)";

const instantMs = z.union(
  [
    z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number)
      .pipe(z.number().max(LATEST_INSTANT_MS)),
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  ],
  { error: EXPECTED_INSTANT },
);
const atMs = instantMs.describe("an instant: RFC 3339, or milliseconds since 1970 UTC");

const historyQuery = z
  .object({ from: atMs.optional(), to: atMs.optional() })
  .refine(({ from = 0, to = LATEST_INSTANT_MS }) => from < to, {
    path: ["from"],
    error: "expected an instant before that of ?to",
  });

/** Every page of the API. */
export const ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/healthz",
    tag: "health",
    summary: "ok, while the daemon lives",
    scope: "open",
    schemas: {},
    handler: () => ({ contentType: "text/plain; charset=utf-8", text: "ok" }),
  }),
  route({
    method: "GET",
    path: "/readyz",
    tag: "health",
    summary: "whether the engine can be seen; 503 says what is missing",
    statuses: [200, 503],
    scope: "open",
    schemas: { answer: readinessSchema },
    handler: (control) => {
      const readiness = control.readiness();
      return { status: readiness.ready ? 200 : 503, json: readiness };
    },
  }),
  route({
    method: "GET",
    path: "/metrics",
    tag: "health",
    summary: "the daemon's own metrics, and those of its services, for Prometheus",
    schemas: {},
    handler: (control) => control.metrics(),
  }),
  route({
    method: "GET",
    path: "/v1/services",
    tag: "services",
    summary: "all services",
    schemas: { answer: serviceListSchema },
    handler: (control) => ({ json: { services: [...control.services()] } }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id",
    tag: "services",
    summary: "one service, with its replicas and what is held back",
    schemas: { params: serviceParams, answer: serviceDetailSchema },
    handler: (control, { params }) => ({ json: control.service(params.id) }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/decisions",
    tag: "services",
    summary:
      "its decisions, newest first; with verify=true also how many of all that are recorded come out the same again",
    schemas: { params: serviceParams, query: decisionsQuery, answer: decisionListSchema },
    handler: async (control, { params, query: { limit, changes, verify } }) => ({
      json: {
        decisions: [...control.decisions(params.id, { limit, changesOnly: changes })],
        ...(verify ? { verification: await control.verifyDecisions(params.id) } : {}),
      },
    }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/explain",
    tag: "services",
    summary: "why it has its count, line by line",
    schemas: {
      params: serviceParams,
      query: z.object({ at: atMs.optional() }),
      answer: explanationSchema,
    },
    handler: (control, { params, query }) => ({ json: control.explain(params.id, query.at) }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/history",
    tag: "services",
    summary: "what it used in each minute of four weeks: a day at most, and where to go on",
    schemas: { params: serviceParams, query: historyQuery, answer: historySchema },
    handler: (control, { params, query }) => ({
      json: control.history(params.id, { fromMs: query.from, toMs: query.to }),
    }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/scale",
    tag: "services",
    summary:
      "sets the count, within the bounds; with a duration it stays for that long whatever the rules want",
    scope: "scale",
    schemas: { params: serviceParams, body: scaleRequestSchema, answer: scaleAnswerSchema },
    bodyLimit: SCALE_LIMIT,
    handler: async (control, { params, body }) => ({ json: await control.scale(params.id, body) }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/autoscale",
    tag: "services",
    summary: "whether its rules scale it, or only show what they would do",
    scope: "scale",
    schemas: { params: serviceParams, body: autoscaleRequestSchema, answer: autoscaleAnswerSchema },
    bodyLimit: SCALE_LIMIT,
    handler: (control, { params, body }) => ({ json: control.setAutoscale(params.id, body) }),
  }),
  route({
    method: "GET",
    path: "/v1/audit",
    tag: "access",
    summary: "who changed counts by hand or past Flyball, newest first",
    schemas: { query: z.object({ limit }), answer: auditSchema },
    handler: (control, { query }) => ({ json: { lines: [...control.audit(query.limit)] } }),
  }),
  route({
    method: "PUT",
    path: "/v1/projects/:name",
    tag: "projects",
    summary: "makes a project what should run",
    schemas: { params: projectParams, body: projectRequestSchema, answer: projectAnswerSchema },
    bodyLimit: PROJECT_LIMIT,
    handler: async (control, { params, body }) => ({ json: await control.applyProject(params.name, body) }),
  }),
  route({
    method: "POST",
    path: "/v1/projects/:name/plan",
    tag: "projects",
    summary: "what that would do; does nothing",
    scope: "read",
    schemas: { params: projectParams, body: projectRequestSchema, answer: projectAnswerSchema },
    bodyLimit: PROJECT_LIMIT,
    handler: async (control, { params, body }) => ({ json: await control.planProject(params.name, body) }),
  }),
  route({
    method: "DELETE",
    path: "/v1/projects/:name",
    tag: "projects",
    summary: "stops and removes its replicas and networks, and forgets it",
    schemas: { params: projectParams, answer: projectAnswerSchema },
    handler: async (control, { params }) => ({ json: await control.removeProject(params.name) }),
  }),
  route({
    method: "GET",
    path: STREAM_PATH,
    tag: "stream",
    summary: "a websocket that tells of samples, decisions, actions and alerts as they come",
    statuses: [101],
    upgrades: true,
    schemas: {},
    handler: () => {
      throw new RequestRefused(
        426,
        "REQUEST_INVALID",
        `expected a websocket's handshake for ${STREAM_PATH}`,
        {
          headers: { Upgrade: "websocket", Connection: "Upgrade" },
        },
      );
    },
  }),
  route({
    method: "GET",
    path: "/openapi.json",
    tag: "health",
    summary: "this description of the API, as OpenAPI 3.1",
    schemas: { answer: openApiSchema },
    handler: async () => ({ json: await openApi(ROUTES) }),
  }),
  ...ROLLOUT_ROUTES,
  ...JOB_ROUTES,
  ...CARE_ROUTES,
  ...ALERT_ROUTES,
  ...ACCESS_ROUTES,
  ...DISCOVERY_ROUTES,
];
