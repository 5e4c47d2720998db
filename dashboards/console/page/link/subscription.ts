import type { ClientFrame, ServerFrame, StreamPosition, Topic } from "../../../../core/wire-stream.ts";

/** As core/wire-stream.ts has them; a test holds them together. */
export const PROTOCOL = "flyball.v1";
export const BEARER = "bearer.";
const TOPICS: Topic[] = ["samples", "decisions", "actions", "alerts"];

/** Of the past, what is asked for by who was not there: as many numbers, of which samples are most. */
const PAST_EVENTS = 2_000;

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
