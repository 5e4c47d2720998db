import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Route, TAGS, type Tag } from "../route.ts";
import { Components, heardSchema, type JsonSchema, type Reference } from "./components.ts";

interface Media {
  readonly schema: JsonSchema | Reference;
}

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly [Tag];
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Answer | Reference>>;
  /** With what the token must be good for; empty: none is asked for. */
  readonly security: readonly { readonly bearer: readonly string[] }[];
}

export type OpenApiDocument = {
  readonly openapi: "3.1.0";
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: Tag; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

const ABOUT =
  "Instants are milliseconds since 1970 UTC, ratios are 0..1, a field that is absent is unknown. Every error is a " +
  "problem document (RFC 9457) with a stable `code`. On the machine of the daemon, requests without a token are " +
  "answered too, unless its configuration has one.";

const TAG_TEXTS: Readonly<Record<Tag, string>> = {
  health: "Whether the daemon lives and can work, and its metrics.",
  services: "What should run and does, why, and how many.",
  projects: "Compose projects as a whole.",
  rollouts: "How a service goes from one definition to the next.",
  jobs: "What runs to its end.",
  discovery: "Where services answer.",
  alerts: "What is wrong, and who is told of it.",
  stream: "What happens, while it does.",
  care: "What failed, what stands in the way, what was left behind.",
  access: "Who may ask, and who asked for what.",
};

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  101: "a websocket, on which the client sends ClientFrame and is sent ServerFrame",
  200: "as asked",
  201: "made",
  503: "not now; the answer says why",
};

const JSON_TYPE = "application/json";
const PROBLEM: Reference = { $ref: "#/components/responses/Problem" };

/** The routes as OpenAPI 3.1 tells of them: made from what they are validated with. */
export function documentOf(routes: readonly Route[]): OpenApiDocument {
  const components = new Components();
  const byPath = Map.groupBy(routes, ({ path }) => path.replaceAll(/:(\w+)/g, "{$1}"));
  const paths = Array.from(byPath, ([path, siblings]) => [
    path,
    Object.fromEntries(
      siblings.map((route) => [route.method.toLowerCase(), operationOf(route, path, components)]),
    ),
  ]);
  return {
    openapi: "3.1.0",
    info: {
      title: "Flyball",
      version: versionOfPackage(),
      description: ABOUT,
      license: { name: "Apache License 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: TAGS.map((name) => ({ name, description: TAG_TEXTS[name] })),
    paths: Object.fromEntries(paths),
    components: {
      schemas: components.schemas,
      responses: {
        Problem: {
          description: "it was not done, and why",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description:
            "the token of the configuration, or one that was made; its scope is read, scale or admin",
        },
      },
    },
  };
}

function operationOf(route: Route, path: string, components: Components): Operation {
  const { tag, summary, scope, schemas } = route;
  const streamed: Parameter[] = route.streams ? [LAST_EVENT_ID] : [];
  return {
    operationId: nameOf(route.method, path),
    tags: [tag],
    summary,
    parameters: [
      ...parametersOf(schemas.params, "path"),
      ...parametersOf(schemas.query, "query"),
      ...streamed,
    ],
    ...(schemas.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [JSON_TYPE]: { schema: components.pointAt(schemas.body) } },
          },
        }),
    responses: answersOf(route, components),
    security: scope === "open" ? [] : [{ bearer: [scope] }],
  };
}

const LAST_EVENT_ID: Parameter = {
  name: "Last-Event-ID",
  in: "header",
  required: false,
  description: "of a stream that goes on: the id of the last event that was seen",
  schema: { type: "string" },
};

/** `getServicesByIdDecisions` */
function nameOf(method: string, path: string): string {
  const words = path
    .split(/[/.]/)
    .filter((part) => part !== "" && part !== "v1")
    .map((part) => (part.startsWith("{") ? `By${capital(part.slice(1, -1))}` : capital(part)));
  return method.toLowerCase() + words.join("");
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function parametersOf(object: z.ZodObject | undefined, place: Parameter["in"]): Parameter[] {
  if (object === undefined) return [];
  const { properties = {}, required = [] } = heardSchema(object);
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as JsonSchema;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    };
  });
}

function answersOf(route: Route, components: Components): Record<string, Answer | Reference> {
  const { schemas, scope, statuses = [200] } = route;
  const usual = statuses.map((status) => [
    status,
    { description: STATUS_TEXTS[status] ?? "as asked", ...contentOf(route, components) },
  ]);
  const refusals = [
    ...(scope === "open" ? [] : [401, 403]),
    ...(schemas.params === undefined ? [] : [404]),
    ...(schemas.body === undefined ? [] : [413, 415]),
    ...(schemas.params === undefined && schemas.query === undefined && schemas.body === undefined
      ? []
      : [422]),
  ];
  return {
    ...Object.fromEntries(usual),
    ...Object.fromEntries(refusals.map((status) => [status, PROBLEM])),
    default: PROBLEM,
  };
}

function contentOf({ schemas, streams, upgrades }: Route, components: Components): Pick<Answer, "content"> {
  if (upgrades) return {};
  if (schemas.answer === undefined) return { content: { "text/plain": { schema: { type: "string" } } } };
  const schema = components.pointAt(schemas.answer);
  const events: JsonSchema = {
    type: "string",
    description: "server-sent events: the answer is the data of each",
  };
  return {
    content: { [JSON_TYPE]: { schema }, ...(streams ? { "text/event-stream": { schema: events } } : {}) },
  };
}

function versionOfPackage(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
