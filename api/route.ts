import { z } from "zod";
import type { Problem } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Scope } from "../core/wire-access.ts";
import type { Control } from "./control.ts";
import type { ServerEvent } from "./event-stream.ts";
import { RequestRefused } from "./problem.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/** What routes have in common, in the order in which they are documented. */
export const TAGS = [
  "health",
  "services",
  "projects",
  "rollouts",
  "jobs",
  "discovery",
  "alerts",
  "stream",
  "care",
  "access",
] as const;
export type Tag = (typeof TAGS)[number];

/** What a route hears and says. A part without a schema must be absent (query), or is not read (body). */
export interface RouteSchemas {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Absent: the answer is text. */
  readonly answer?: z.ZodType;
}

export interface JsonReply<Body> {
  readonly status?: number;
  readonly json: Body;
}

export interface TextReply {
  readonly contentType: string;
  readonly text: string;
}

/** An answer that goes on: server-sent events. */
export interface EventsReply {
  readonly events: AsyncIterable<ServerEvent>;
}

export type Reply = JsonReply<unknown> | TextReply | EventsReply;

/** How a client waits for more than what there is now. */
export interface Waiting {
  /** The client is gone, or the API closes. */
  readonly signal: AbortSignal;
  /** It asks for server-sent events; what it has seen last, when it says so. */
  readonly events?: { readonly lastEventId?: string };
}

/** A request's parts as they came, before any schema has seen them. */
export interface RawRequest extends Waiting {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

interface RouteFacts {
  readonly method: Method;
  /** As express writes it: `/v1/services/:id`. */
  readonly path: string;
  readonly tag: Tag;
  /** What it answers or does, in one line for a person. */
  readonly summary: string;
  /** What it answers with when all is well, the usual one first; absent: 200. */
  readonly statuses?: readonly [number, ...number[]];
  /** Who asks for `text/event-stream` is given the answer again whenever it is another one. */
  readonly streams?: true;
  /** It is a websocket; what is no upgrade is refused. */
  readonly upgrades?: true;
  /** Present on the routes that read a body. */
  readonly bodyLimit?: BodyLimit;
}

/** One row of the route table. */
export interface Route extends RouteFacts {
  /** What a token must be good for; `open`: none is asked for. */
  readonly scope: Scope | "open";
  readonly schemas: RouteSchemas;
  /** @throws FlyballError REQUEST_INVALID that lists every problem, and whatever the control throws */
  answer(control: Control, request: RawRequest): Promise<Reply>;
}

export interface BodyLimit {
  readonly bytes: number;
  /** What a body beyond the limit is called. */
  readonly code: "REQUEST_INVALID" | "COMPOSE_TOO_LARGE";
}

type Read<Schema> = Schema extends z.ZodType ? z.infer<Schema> : undefined;
type ReplyFor<Schema> = Schema extends z.ZodType ? JsonReply<z.infer<Schema>> | EventsReply : TextReply;

interface RouteDefinition<Schemas extends RouteSchemas> extends RouteFacts {
  /** Absent: `read` for what changes nothing, else `admin`. */
  readonly scope?: Scope | "open";
  readonly schemas: Schemas;
  handler(
    control: Control,
    request: {
      params: Read<Schemas["params"]>;
      query: Read<Schemas["query"]>;
      body: Read<Schemas["body"]>;
      waiting: Waiting;
    },
  ): ReplyFor<Schemas["answer"]> | Promise<ReplyFor<Schemas["answer"]>>;
}

/** A row of the table: the handler sees only what its schemas let through, and answers what they promise. */
export function route<const Schemas extends RouteSchemas>(definition: RouteDefinition<Schemas>): Route {
  const { handler, schemas, ...rest } = definition;
  return {
    scope: definition.method === "GET" ? "read" : "admin",
    ...rest,
    schemas,
    async answer(control, raw) {
      const problems: Problem[] = [];
      const params = read(schemas.params, raw.params, (path) => `path ${path.join(".")}`, problems);
      const query = readQuery(schemas.query, raw.query, problems);
      const body = read(schemas.body, raw.body, pointer, problems);
      if (problems.length > 0) {
        const summary = problems.map(({ at, message }) => `${at}: ${message}`).join("; ");
        throw new RequestRefused(422, "REQUEST_INVALID", summary, { problems });
      }
      return handler(control, {
        params: params as Read<Schemas["params"]>,
        query: query as Read<Schemas["query"]>,
        body: body as Read<Schemas["body"]>,
        waiting: raw,
      });
    },
  };
}

function readQuery(schema: z.ZodObject | undefined, value: unknown, problems: Problem[]): unknown {
  const known = Object.keys(schema?.shape ?? {});
  const given = Object.keys(value ?? {});
  for (const name of given.filter((name) => !known.includes(name))) {
    const expected = known.length === 0 ? "this page has none" : `expected ${known.join(" or ")}`;
    problems.push({ at: `?${name}`, message: `is not a query parameter: ${expected}` });
  }
  return read(schema, value, (path) => `?${path.join(".")}`, problems);
}

function read(
  schema: z.ZodType | undefined,
  value: unknown,
  placeOf: (path: readonly PropertyKey[]) => string,
  problems: Problem[],
): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  for (const issue of result.error.issues) {
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const meant = nearest(key, known);
        const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
        problems.push({ at: placeOf([...issue.path, key]), message: `is not a field${hint}` });
      }
    } else problems.push({ at: placeOf(issue.path), message: issue.message });
  }
  return undefined;
}

/** A JSON pointer (RFC 6901); the whole body in words, because its pointer is the empty string. */
function pointer(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "body";
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}
