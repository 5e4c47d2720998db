import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { FlyballError, isFlyballError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { BEARER_PROTOCOL, STREAM_PROTOCOL } from "../../core/wire-stream.ts";
import type { Credentials, Guard } from "../guard.ts";
import { problemOf, RequestRefused } from "../problem.ts";
import type { StreamHub } from "./hub.ts";

export const STREAM_PATH = "/v1/stream";
/** What a client may say in one frame; it only subscribes. */
const LONGEST_FRAME_BYTES = 64 * 2 ** 10;
const MOST_CLIENTS = 2_000;

export interface UpgradeOptions {
  readonly hub: StreamHub;
  readonly guard: Guard;
  readonly log: Log;
}

/** Answers `Upgrade: websocket`: the same guard as for any page, before the handshake. */
export function createUpgrade({ hub, guard, log }: UpgradeOptions) {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: LONGEST_FRAME_BYTES,
    perMessageDeflate: false,
    // Never the one that carries the token: it would stand in the answer.
    handleProtocols: (protocols) => (protocols.has(STREAM_PROTOCOL) ? STREAM_PROTOCOL : false),
  });

  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Until the handshake is done nobody else listens for it.
    const ignore = () => {};
    socket.on("error", ignore);
    const credentials = credentialsOf(request);
    try {
      admit(credentials, hub, guard);
    } catch (error) {
      const { status, headers, document } = problemOf(error);
      if (status >= 500) log.error({ err: error }, "a stream could not be opened");
      refuse(socket, status, headers, JSON.stringify(document));
      return;
    }
    socket.off("error", ignore);
    server.handleUpgrade(request, socket, head, (client) =>
      hub.attach(client, () => isAdmitted(credentials, guard)),
    );
  };
}

function credentialsOf({ headers, url = "/" }: IncomingMessage): Credentials {
  const { host, origin } = headers;
  return {
    // Browsers let any page open a socket: what changes nothing still tells what runs here.
    method: "UPGRADE",
    path: url.split("?", 1)[0] ?? url,
    ...{ host, origin },
    authorization: headers.authorization ?? bearerOf(headers["sec-websocket-protocol"]),
  };
}

/** A token may expire, or be revoked, while a stream is open. */
function isAdmitted(credentials: Credentials, guard: Guard): boolean {
  try {
    guard(credentials);
    return true;
  } catch (error) {
    // What cannot be read now is no reason to send away who was let in.
    if (isFlyballError(error)) return error.code !== "UNAUTHORIZED";
    throw error;
  }
}

function admit(credentials: Credentials, hub: StreamHub, guard: Guard): void {
  const { path } = credentials;
  guard(credentials);
  if (path !== STREAM_PATH) {
    throw new FlyballError("NOT_FOUND", `there is no stream ${path}: the one there is, is ${STREAM_PATH}`);
  }
  if (hub.clients >= MOST_CLIENTS) {
    throw new RequestRefused(
      503,
      "REQUEST_INVALID",
      `${MOST_CLIENTS} clients listen already, the most there can be`,
    );
  }
}

/** A browser cannot set headers of a websocket: its token is one of the subprotocols that it offers. */
function bearerOf(offered: string | undefined): string | undefined {
  const protocol = offered
    ?.split(",")
    .map((name) => name.trim())
    .find((name) => name.startsWith(BEARER_PROTOCOL));
  if (protocol === undefined) return undefined;
  return `Bearer ${Buffer.from(protocol.slice(BEARER_PROTOCOL.length), "base64url")}`;
}

function refuse(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const lines = [
    `HTTP/1.1 ${status} Refused`,
    "Connection: close",
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
