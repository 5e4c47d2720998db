import { z } from "zod";
import { rolloutListSchema, rolloutSchema, trialChangeSchema } from "../core/wire-rollouts.ts";
import { type Route, route } from "./route.ts";

const LIMIT = { bytes: 1024, code: "REQUEST_INVALID" } as const;
const params = z.object({ id: z.string().min(1) });

export const ROLLOUT_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/rollouts",
    schemas: { answer: rolloutListSchema },
    handler: ({ deployments }) => ({ json: { rollouts: [...deployments.rollouts] } }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/rollback",
    scope: "scale",
    schemas: { params, answer: rolloutSchema },
    handler: ({ deployments }, { params: { id } }) => ({ json: deployments.rollback(id) }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/rollout/resume",
    scope: "scale",
    schemas: { params, answer: rolloutSchema },
    handler: ({ deployments }, { params: { id } }) => ({ json: deployments.resumeRollout(id) }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/trial",
    scope: "scale",
    bodyLimit: LIMIT,
    schemas: { params, body: trialChangeSchema, answer: rolloutSchema },
    handler: ({ deployments: { trials } }, { params: { id }, body }) => ({
      json: body.do === "abort" ? trials.abort(id) : trials.promote(id, body.weightRatio),
    }),
  }),
];
