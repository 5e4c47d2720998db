import { z } from "zod";
import { jobListSchema, logsSchema, runListSchema, runSchema } from "../core/wire-jobs.ts";
import { limit } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const params = z.object({ id: z.string().min(1) });
const CREATED = 201;

export const JOB_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/jobs",
    schemas: { answer: jobListSchema },
    handler: ({ jobs }) => ({ json: { jobs: [...jobs.list()] } }),
  }),
  route({
    method: "GET",
    path: "/v1/jobs/:id/runs",
    schemas: { params, query: z.object({ limit }), answer: runListSchema },
    handler: ({ jobs }, { params: { id }, query }) => ({ json: { runs: [...jobs.runs(id, query.limit)] } }),
  }),
  route({
    method: "POST",
    path: "/v1/jobs/:id/runs",
    scope: "scale",
    schemas: { params, answer: runSchema },
    handler: ({ jobs }, { params: { id } }) => ({ status: CREATED, json: jobs.run(id) }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/logs",
    schemas: {
      params,
      query: z.object({ run: z.string().min(1).optional(), lines: limit }),
      answer: logsSchema,
    },
    handler: async (control, { params: { id }, query }) => ({ json: await control.logs(id, query) }),
  }),
];
