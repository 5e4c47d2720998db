import { z } from "zod";
import { rolloutListSchema, rolloutSchema } from "../core/wire-rollouts.ts";
import { type Route, route } from "./route.ts";

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
];
