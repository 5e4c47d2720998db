import { z } from "zod";
import {
  createdTokenSchema,
  revokedTokenSchema,
  tokenListSchema,
  tokenRequestSchema,
  writeListSchema,
} from "../core/wire-access.ts";
import { limit } from "./parameters.ts";
import { type Route, route } from "./route.ts";

const params = z.object({ name: z.string().min(1).describe("of a token") });

export const ACCESS_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/v1/tokens",
    tag: "access",
    summary: "the tokens there are; none of them is told",
    scope: "admin",
    schemas: { answer: tokenListSchema },
    handler: ({ access }) => ({ json: { tokens: [...access.tokens.list()] } }),
  }),
  route({
    method: "POST",
    path: "/v1/tokens",
    tag: "access",
    summary: "makes a token, and tells it this one time",
    statuses: [201],
    scope: "admin",
    schemas: { body: tokenRequestSchema, answer: createdTokenSchema },
    bodyLimit: { bytes: 2 ** 16, code: "REQUEST_INVALID" },
    handler: ({ access }, { body }) => ({ json: access.tokens.create(body) }),
  }),
  route({
    method: "DELETE",
    path: "/v1/tokens/:name",
    tag: "access",
    summary: "revokes a token",
    scope: "admin",
    schemas: { params, answer: revokedTokenSchema },
    handler: ({ access }, { params: { name } }) => {
      access.tokens.revoke(name);
      return { json: { revoked: name } };
    },
  }),
  route({
    method: "GET",
    path: "/v1/audit/writes",
    tag: "access",
    summary:
      "the last 10,000 requests that were to change something: when, by which token, what, and how they were answered",
    scope: "admin",
    schemas: { query: z.object({ limit }), answer: writeListSchema },
    handler: ({ access }, { query }) => ({ json: { writes: [...access.writes.list(query.limit)] } }),
  }),
];
