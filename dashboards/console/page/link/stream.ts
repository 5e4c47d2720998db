import type { ClientFrame, ServerFrame, StreamPosition, Topic } from "../../../../core/wire-stream.ts";

/** As core/wire-stream.ts has them; a test holds them together. */
export const PROTOCOL = "flyball.v1";
export const BEARER = "bearer.";
const TOPICS: Topic[] = ["samples", "decisions", "actions", "alerts"];

/** Of the past, what is asked for by who was not there: as many numbers, of which samples are most. */
const PAST_EVENTS = 2_000;
/** Beats that may be missed. A second is the rhythm of samples, and a laptop that slept is not told of its end. */
const PATIENCE_BEATS = 2;
const FIRST_PATIENCE_MS = 10_000;

export interface StreamOptions {
  readonly token: string | undefined;
  /** The last event that was seen, if any. */
  readonly position: StreamPosition | undefined;
  onFrame(frame: ServerFrame): void;
  /** Once, however it came about. */
  onEnd(): void;
}

/** One connection to the stream, until it ends. */
export function openStream({ token, position, onFrame, onEnd }: StreamOptions): Disposable {
  const address = new URL("/v1/stream", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address, token === undefined ? [PROTOCOL] : [PROTOCOL, bearerProtocol(token)]);
  let isOver = false;
  let watch = setTimeout(end, FIRST_PATIENCE_MS);
  let patienceMs = FIRST_PATIENCE_MS;

  function end(): void {
    if (isOver) return;
    isOver = true;
    clearTimeout(watch);
    socket.close();
    onEnd();
  }

  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return;
    clearTimeout(watch);
    const frame: ServerFrame = JSON.parse(data);
    if (frame.type === "hello") {
      patienceMs = frame.heartbeatMs * PATIENCE_BEATS;
      socket.send(JSON.stringify(subscription(frame, position)));
    }
    watch = setTimeout(end, patienceMs);
    onFrame(frame);
  });
  return { [Symbol.dispose]: end };
}

/** Numbers of another run of the daemon mean nothing here: of that, what it still knows is asked for. */
export function subscription(
  { epoch, seq }: Extract<ServerFrame, { type: "hello" }>,
  position: StreamPosition | undefined,
): ClientFrame {
  const past = { epoch, seq: Math.max(0, seq - PAST_EVENTS) };
  return { type: "subscribe", topics: TOPICS, since: position?.epoch === epoch ? position : past };
}

/** A page cannot set headers of a websocket: its token is one of the subprotocols that it offers. */
export function bearerProtocol(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  return BEARER + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
