import { connect } from "node:net";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import type { AccessControl } from "../../api/access-control.ts";
import { startApi } from "../../api/server.ts";
import { StreamHub } from "../../api/stream/hub.ts";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { type ProblemDocument, problemSchema } from "../../core/wire.ts";
import { ControlDouble } from "./control-double.ts";

export const TOKEN = "a-token-of-sufficient-length";

/** The real server on a free port of this machine, or on that one, over a control that remembers. */
export async function startTestApi(
  options: {
    token?: string;
    host?: string;
    heartbeatMs?: number;
    port?: number;
    access?: AccessControl;
  } = {},
) {
  const control = new ControlDouble();
  if (options.access !== undefined) control.access = options.access;
  const stream = aStream(options.heartbeatMs);
  const logLines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logLines.push(String(chunk));
      done();
    },
  });
  const api = await startApi({
    control,
    stream,
    listen: { host: options.host ?? "127.0.0.1", port: options.port ?? 0 },
    log: createLog("info", sink),
    ...(options.token === undefined ? {} : { token: options.token }),
  });
  const { port } = api.address;
  return {
    control,
    stream,
    logLines,
    api,
    port,
    url: `http://127.0.0.1:${port}`,
    fetch: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

export function aStream(heartbeatMs = 15_000): StreamHub {
  return new StreamHub({ clock: systemClock, epoch: "this-run", heartbeatMs });
}

export function json(method: string, body: unknown): RequestInit {
  return { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** The answer as the problem document it must be. */
export async function problem(response: Response): Promise<ProblemDocument> {
  const type = response.headers.get("content-type");
  if (!type?.startsWith("application/problem+json")) throw new Error(`not a problem document: ${type}`);
  return problemSchema.parse(await response.json());
}

/** Sends bytes as they are and returns the whole answer, for requests that `fetch` would not send. */
export async function raw(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write([...lines, "Connection: close", "", ""].join("\r\n"));
  return text(socket);
}
