import { rolloutListSchema, rolloutSchema, trialChangeSchema } from "../core/wire-rollouts.ts";
import { serviceParams } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const LIMIT = { bytes: 1024, code: "REQUEST_INVALID" } as const;

export const ROLLOUT_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/rollouts",
    tag: "rollouts",
    summary: "how far the rollout of each service is, or where the last one ended",
    schemas: { answer: rolloutListSchema },
    handler: ({ deployments }) => ({ json: { rollouts: [...deployments.rollouts] } }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/rollback",
    tag: "rollouts",
    summary: "goes back to the last healthy definition; the count stays",
    scope: "scale",
    schemas: { params: serviceParams, answer: rolloutSchema },
    handler: ({ deployments }, { params: { id } }) => ({ json: deployments.rollback(id) }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/rollout/resume",
    tag: "rollouts",
    summary: "tries a paused rollout again",
    scope: "scale",
    schemas: { params: serviceParams, answer: rolloutSchema },
    handler: ({ deployments }, { params: { id } }) => ({ json: deployments.resumeRollout(id) }),
  }),
  route({
    method: "PUT",
    path: "/v1/services/:id/trial",
    tag: "rollouts",
    summary: "promotes what is on trial, at once or to a share of the requests, or aborts it",
    scope: "scale",
    bodyLimit: LIMIT,
    schemas: { params: serviceParams, body: trialChangeSchema, answer: rolloutSchema },
    handler: ({ deployments: { trials } }, { params: { id }, body }) => ({
      json: body.do === "abort" ? trials.abort(id) : trials.promote(id, body.weightRatio),
    }),
  }),
];
