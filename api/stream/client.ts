import type { WebSocket } from "ws";
import { messageOf } from "../../core/errors.ts";
import {
  CLOSE_CODES,
  type ClientFrame,
  clientFrameSchema,
  type ServerFrame,
  type Topic,
} from "../../core/wire-stream.ts";
import type { StreamEvent } from "./event-log.ts";

/** A client that has not read so much is not given samples, until it has. */
const SAMPLES_WAIT_BYTES = 2 ** 20;
/** With so much unread it is let go: events are not left out. */
const EVENTS_WAIT_BYTES = 8 * 2 ** 20;
/** Frames that cannot be used, before the client is let go. */
const PATIENCE_FRAMES = 10;

export interface StreamClientOptions {
  readonly onSubscribe: (client: StreamClient, frame: ClientFrame) => void;
  readonly isAdmitted: () => boolean;
}

/** One connection: what it listens to, and how far behind it is. */
export class StreamClient {
  readonly #socket: WebSocket;
  readonly #options: StreamClientOptions;
  #topics: ReadonlySet<Topic> = new Set();
  #isAlive = true;
  #unusable = 0;

  constructor(socket: WebSocket, options: StreamClientOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    socket.on("message", (data, isBinary) => this.#hear(isBinary ? undefined : String(data)));
  }

  listen(topics: readonly Topic[]): void {
    this.#topics = new Set(topics);
  }

  event({ topic, text }: StreamEvent): void {
    if (!this.#topics.has(topic)) return;
    const unread = this.#socket.bufferedAmount;
    if (topic === "samples" && unread > SAMPLES_WAIT_BYTES) return;
    if (unread > EVENTS_WAIT_BYTES) this.close(CLOSE_CODES.tooSlow, "reads slower than events come");
    else this.#socket.send(text);
  }

  send(frame: ServerFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** To be called at every heartbeat: one that has not answered the last one is gone. @param text the frame */
  beat(text: string): void {
    if (!this.#isAlive) {
      this.#socket.terminate();
      return;
    }
    if (!this.#options.isAdmitted()) {
      this.close(CLOSE_CODES.refused, "the token is not good any more");
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
    // Pages do not see pings.
    if (this.#socket.bufferedAmount <= SAMPLES_WAIT_BYTES) this.#socket.send(text);
  }

  close(code: number, reason: string): void {
    this.#topics = new Set();
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #hear(text: string | undefined): void {
    const problem = this.#read(text);
    if (problem === undefined) return;
    this.#unusable += 1;
    if (this.#unusable < PATIENCE_FRAMES) this.send({ type: "problem", detail: problem });
    else this.close(CLOSE_CODES.refused, "sends what cannot be used");
  }

  /** @returns why the frame cannot be used */
  #read(text: string | undefined): string | undefined {
    if (text === undefined) return "expected a text frame, got a binary one";
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return `the frame is not JSON: ${messageOf(error)}`;
    }
    const result = clientFrameSchema.safeParse(value);
    if (!result.success) {
      const problems = result.error.issues.map(
        ({ path, message }) => `${path.join(".") || "frame"}: ${message}`,
      );
      return `expected {"type": "subscribe", "topics": […]}; ${problems.join("; ")}`;
    }
    this.#options.onSubscribe(this, result.data);
    return undefined;
  }
}
