import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";

export interface Recording {
  readonly status?: number;
  readonly contentType?: string;
  readonly body: unknown;
  /** What is answered from the second time on. */
  readonly afterwards?: Recording;
}

/** What a daemon says of a project that it does not know, or no longer. */
export const NO_SUCH_PROJECT: Recording = {
  status: 404,
  contentType: "application/problem+json",
  body: {
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail: "no such project",
    code: "NOT_FOUND",
  },
};

export interface Heard {
  readonly request: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Answers each `METHOD /path?query` with the document recorded for it, and remembers what it heard. */
export async function startRecordedDaemon(recordings: Readonly<Record<string, Recording>>) {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    const key = `${request.method} ${request.url}`;
    const body = await text(request);
    const isAgain = heard.some((before) => before.request === key);
    heard.push({ request: key, headers: request.headers, body: body === "" ? undefined : JSON.parse(body) });
    const recording = isAgain ? (recordings[key]?.afterwards ?? recordings[key]) : recordings[key];
    response.statusCode = recording?.status ?? (recording === undefined ? 404 : 200);
    response.setHeader("content-type", recording?.contentType ?? "application/json");
    response.end(
      typeof recording?.body === "string" ? recording.body : JSON.stringify(recording?.body ?? null),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  return {
    heard,
    port,
    address: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
