import { z } from "zod";
import { jobListSchema, logsSchema, runListSchema, runSchema } from "../core/wire-jobs.ts";
import { limit, serviceParams } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const runName = z.string().min(1).describe("of a run of the job");

export const JOB_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/jobs",
    tag: "jobs",
    summary: "all jobs: when each is due, what runs of it and how it ended last",
    schemas: { answer: jobListSchema },
    handler: ({ jobs }) => ({ json: { jobs: [...jobs.list()] } }),
  }),
  route({
    method: "GET",
    path: "/v1/jobs/:id/runs",
    tag: "jobs",
    summary: "the runs of a job, newest first",
    schemas: { params: serviceParams, query: z.object({ limit }), answer: runListSchema },
    handler: ({ jobs }, { params: { id }, query }) => ({ json: { runs: [...jobs.runs(id, query.limit)] } }),
  }),
  route({
    method: "POST",
    path: "/v1/jobs/:id/runs",
    tag: "jobs",
    summary: "runs a job now",
    statuses: [201],
    scope: "scale",
    schemas: { params: serviceParams, answer: runSchema },
    handler: ({ jobs }, { params: { id } }) => ({ json: jobs.run(id) }),
  }),
  route({
    method: "GET",
    path: "/v1/services/:id/logs",
    tag: "jobs",
    summary: "the end of what replicas, or one run of a job, wrote",
    schemas: {
      params: serviceParams,
      query: z.object({ run: runName.optional(), lines: limit }),
      answer: logsSchema,
    },
    handler: async (control, { params: { id }, query }) => ({ json: await control.logs(id, query) }),
  }),
];
