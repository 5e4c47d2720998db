import { z } from "zod";
import {
  doctorSchema,
  failureListSchema,
  leftoversSchema,
  sweepRequestSchema,
  sweptSchema,
} from "../core/wire-care.ts";
import { serviceParams } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const REQUEST_LIMIT = { bytes: 8 * 2 ** 20, code: "REQUEST_INVALID" } as const;

export const CARE_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/services/:id/failures",
    tag: "care",
    summary: "what was kept of its replicas that failed, newest first: five at most, for seven days",
    schemas: { params: serviceParams, answer: failureListSchema },
    handler: (control, { params }) => ({ json: { failures: control.care.failures(params.id) } }),
  }),
  route({
    method: "GET",
    path: "/v1/doctor",
    tag: "care",
    summary: "whether each service can scale, what to change, and what was left behind",
    schemas: {
      query: z.object({ project: z.string().min(1).describe("this one alone").optional() }),
      answer: doctorSchema,
    },
    handler: async (control, { query }) => ({ json: await control.care.doctor(query.project) }),
  }),
  route({
    method: "GET",
    path: "/v1/leftovers",
    tag: "care",
    summary: "what replicas left behind and nobody uses; removes nothing",
    schemas: { answer: leftoversSchema },
    handler: async (control) => ({ json: await control.care.leftovers() }),
  }),
  route({
    method: "POST",
    path: "/v1/leftovers/sweep",
    tag: "care",
    summary: "removes those leftovers that are named and may still be removed",
    schemas: { body: sweepRequestSchema, answer: sweptSchema },
    bodyLimit: REQUEST_LIMIT,
    handler: async (control, { body }) => ({ json: await control.care.sweep(body) }),
  }),
];
