import type { ServerFrame, StreamPosition } from "../../../../core/wire-stream.ts";
import { bearerProtocol, PROTOCOL, subscription } from "./subscription.ts";

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
