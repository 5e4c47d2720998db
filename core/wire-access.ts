import { z } from "zod";
import { DAY_MS, parseDurationMs, SECOND_MS } from "./units.ts";

/** Who may ask the API what, and what was asked that changes anything. */

/** `read` what there is · `scale` counts, pauses, silences and rollbacks too · `admin` everything. */
export const SCOPES = ["read", "scale", "admin"] as const;
export const scopeSchema = z.enum(SCOPES);
export type Scope = z.infer<typeof scopeSchema>;

const LONGEST_LIFE_DAYS = 3_650;

export const tokenNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, "expected a name of lower-case letters, digits, . _ and -");

export const tokenRequestSchema = z.strictObject({
  name: tokenNameSchema,
  scope: scopeSchema,
  /** For how long it is good, as `90d`; absent: until it is revoked. */
  expires: z
    .string()
    .refine((text) => {
      const lifeMs = parseDurationMs(text) ?? 0;
      return lifeMs >= SECOND_MS && lifeMs <= LONGEST_LIFE_DAYS * DAY_MS;
    }, `expected a duration from 1s to ${LONGEST_LIFE_DAYS}d, as "90d"`)
    .optional(),
});

/** What is known of a token; the token itself is kept nowhere. */
export const tokenViewSchema = z.object({
  name: z.string(),
  scope: scopeSchema,
  createdAtMs: z.number(),
  expiresAtMs: z.number().optional(),
  /** To the minute; absent: never. */
  lastUsedAtMs: z.number().optional(),
});
export const tokenListSchema = z.object({ tokens: z.array(tokenViewSchema) });
/** The one time that the token is told. */
export const createdTokenSchema = tokenViewSchema.extend({ token: z.string() });
export const revokedTokenSchema = z.object({ revoked: z.string() });

/** One request that was to change something. */
export const writeSchema = z.object({
  atMs: z.number(),
  /** The token's name; `configuration` for the one there, `this machine` where none is asked for. */
  by: z.string(),
  method: z.string(),
  path: z.string(),
  status: z.number(),
});
export const writeListSchema = z.object({ writes: z.array(writeSchema) });

export type TokenRequest = z.infer<typeof tokenRequestSchema>;
export type TokenView = z.infer<typeof tokenViewSchema>;
export type CreatedToken = z.infer<typeof createdTokenSchema>;
export type Write = z.infer<typeof writeSchema>;
