import { setMaxListeners } from "node:events";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import { FlyballError, isFlyballError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { serveConsole } from "./console.ts";
import type { Control } from "./control.ts";
import { sendEvents } from "./event-stream.ts";
import { type Caller, type Guard, requireScope } from "./guard.ts";
import { problemOf, RequestRefused } from "./problem.ts";
import type { BodyLimit, Reply, Route, Waiting } from "./route.ts";

export interface AppOptions {
  readonly routes: readonly Route[];
  readonly control: Control;
  readonly guard: Guard;
  /** The folder of what the live console is made of; absent: there is none. */
  readonly consoleDirectory?: string | undefined;
  readonly log: Log;
  /** The API closes: who waits is answered with what there is. */
  readonly closing: AbortSignal;
}

/** The route table as an express application: guard first, then the pages, then what is no page. */
export function createApp(options: AppOptions): Express {
  const { routes, control, guard, consoleDirectory, log, closing } = options;
  // One for each request that is being answered.
  setMaxListeners(0, closing);
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");

  app.use((request, response, next) => {
    response.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    const { host, origin, authorization } = request.headers;
    const { method, path } = request;
    response.locals["caller"] = guard({ method, path, host, origin, authorization });
    next();
  });

  if (consoleDirectory !== undefined) app.use(serveConsole(consoleDirectory));
  for (const { method, path, scope, statuses, bodyLimit, answer } of routes) {
    const admit: RequestHandler = (_request, response, next) => {
      if (method !== "GET" && scope !== "read") noteWhenAnswered(response, control, method);
      requireScope(callerIn(response), scope);
      next();
    };
    const handler: RequestHandler = async (request, response) => {
      const reply = await answer(control, {
        params: request.params,
        query: request.query,
        body: request.body,
        ...waitingOf(request, response, closing),
      });
      await send(response, reply, statuses?.[0]);
    };
    const readers = bodyLimit === undefined ? [] : bodyReaders(bodyLimit);
    app[lowerCase(method)](path, admit, ...readers, handler);
  }
  for (const [path, allowed] of allowedMethods(routes)) {
    app.all(path, (request) => {
      const message = `expected ${allowed.join(" or ")} for ${request.path}, got ${request.method}`;
      throw new RequestRefused(405, "REQUEST_INVALID", message, { headers: { Allow: allowed.join(", ") } });
    });
  }
  app.use((request) => {
    throw new FlyballError("NOT_FOUND", `there is no page ${request.path}: the API is /v1/services and more`);
  });
  app.use(answerError(log));
  return app;
}

function callerIn(response: express.Response): Caller | undefined {
  return response.locals["caller"];
}

/** Refused or done, or the client left before it knew. */
function noteWhenAnswered(response: express.Response, { access }: Control, method: string): void {
  const by = callerIn(response)?.name ?? "nobody";
  const { path } = response.req;
  response.once("close", () => access.writes.add({ by, method, path, status: response.statusCode }));
}

const EVENTS = "text/event-stream";

function waitingOf(request: express.Request, response: express.Response, closing: AbortSignal): Waiting {
  const over = new AbortController();
  const end = () => over.abort();
  closing.addEventListener("abort", end, { once: true });
  if (closing.aborted) end();
  response.once("close", () => {
    closing.removeEventListener("abort", end);
    end();
  });
  const lastEventId = request.get("Last-Event-ID");
  const wantsEvents = request.method === "GET" && request.accepts(["application/json", EVENTS]) === EVENTS;
  return {
    signal: over.signal,
    ...(wantsEvents ? { events: lastEventId === undefined ? {} : { lastEventId } } : {}),
  };
}

async function send(response: express.Response, reply: Reply, usualStatus = 200): Promise<void> {
  if ("json" in reply) response.status(reply.status ?? usualStatus).json(reply.json);
  else if ("events" in reply) await sendEvents(response, reply.events);
  // As bytes, because express rewrites the content type of a string, and that of metrics has parameters.
  else response.set("Content-Type", reply.contentType).send(Buffer.from(reply.text));
}

function bodyReaders(limit: BodyLimit): (RequestHandler | ErrorRequestHandler)[] {
  const types = ["application/json", "application/*+json"];
  const requireJson: RequestHandler = (request, _response, next) => {
    if (!request.is(types)) {
      const got = request.headers["content-type"] ?? "none, or no body";
      throw new RequestRefused(
        415,
        "REQUEST_INVALID",
        `expected a body of type application/json, got ${got}`,
      );
    }
    next();
  };
  const nameLimit: ErrorRequestHandler = (error, _request, _response, next) => {
    if (httpStatusOf(error) !== 413) return next(error);
    const mebibytes = limit.bytes / 2 ** 20;
    next(new RequestRefused(413, limit.code, `expected a body of at most ${mebibytes} MiB`));
  };
  return [requireJson, express.json({ type: types, limit: limit.bytes }), nameLimit];
}

function answerError(log: Log): ErrorRequestHandler {
  return (thrown, request, response, next) => {
    const error = asRefusal(thrown);
    const { status, headers, document } = problemOf(error);
    const place = { method: request.method, path: request.path, status };
    if (status >= 500) log.error({ ...place, err: error }, "a request failed");
    else log.debug({ ...place, code: document.code }, document.detail);
    if (response.headersSent) return next(error);
    response.status(status).set(headers).type("application/problem+json").send(JSON.stringify(document));
  };
}

/** Express and its body parser throw errors of their own, with the status they mean. */
function asRefusal(error: unknown): unknown {
  if (isFlyballError(error)) return error;
  const status = httpStatusOf(error);
  if (status === undefined || status < 400 || status > 499) return error;
  const subject = error instanceof SyntaxError ? "the body is not JSON: " : "";
  return new RequestRefused(status, "REQUEST_INVALID", `${subject}${messageOf(error)}`, { cause: error });
}

function httpStatusOf(error: unknown): number | undefined {
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status === "number" ? status : undefined;
}

function allowedMethods(routes: readonly Route[]): Map<string, string[]> {
  const allowed = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const methods = method === "GET" ? ["GET", "HEAD"] : [method];
    allowed.set(path, [...(allowed.get(path) ?? []), ...methods]);
  }
  return allowed;
}

function lowerCase<Text extends string>(text: Text): Lowercase<Text> {
  return text.toLowerCase() as Lowercase<Text>;
}
