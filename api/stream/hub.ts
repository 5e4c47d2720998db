import type { WebSocket } from "ws";
import type { Clock } from "../../core/clock.ts";
import { CLOSE_CODES, type ClientFrame, type ServerFrame, type Topic } from "../../core/wire-stream.ts";
import { StreamClient } from "./client.ts";
import { EventLog } from "./event-log.ts";

export interface HubOptions {
  readonly clock: Clock;
  /** Names this run of the daemon: numbers of another run mean nothing here. */
  readonly epoch: string;
  readonly heartbeatMs: number;
}

/** Kept for those who come back; less than what a client may leave unread, so that it can be sent at once. */
const KEPT = { events: 10_000, bytes: 4 * 2 ** 20 };
/** How long clients may take to answer the goodbye. */
const CLOSE_GRACE_MS = 500;

/** Gives what happens to everyone who listens. A slow client is left behind or let go, never waited for. */
export class StreamHub implements AsyncDisposable {
  readonly #options: HubOptions;
  readonly #log = new EventLog(KEPT);
  readonly #clients = new Set<StreamClient>();
  readonly #beating: NodeJS.Timeout;
  #onEmpty = () => {};

  constructor(options: HubOptions) {
    this.#options = options;
    this.#beating = setInterval(() => this.#beat(), options.heartbeatMs).unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  publish(topic: Topic, data: unknown): void {
    const event = this.#log.add(topic, data, this.#options.clock.nowMs());
    for (const client of this.#clients) client.event(event);
  }

  /** As `publish`, when anybody is there to hear it: what is made for samples costs more than sending them. */
  publishSamples(data: () => unknown): void {
    if (this.#clients.size > 0) this.publish("samples", data());
  }

  /** @param isAdmitted asked at every heartbeat: who may not listen any more is let go */
  attach(socket: WebSocket, isAdmitted: () => boolean): void {
    const client = new StreamClient(socket, {
      isAdmitted,
      onSubscribe: (who, frame) => this.#subscribe(who, frame),
    });
    this.#clients.add(client);
    socket.on("close", () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#onEmpty();
    });
    // What is wrong is told by the close that follows.
    socket.on("error", () => {});
    const { epoch, heartbeatMs } = this.#options;
    client.send({ type: "hello", epoch, seq: this.#log.seq, heartbeatMs });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beating);
    if (this.#clients.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    for (const client of this.#clients) client.close(CLOSE_CODES.goingAway, "the daemon stops");
    const cut = setTimeout(() => {
      for (const client of this.#clients) client.terminate();
    }, CLOSE_GRACE_MS);
    await promise;
    clearTimeout(cut);
  }

  #subscribe(client: StreamClient, { topics, since }: ClientFrame): void {
    const seq = this.#log.seq;
    const isOurs = since?.epoch === this.#options.epoch;
    const missed = since === undefined ? [] : isOurs ? this.#log.since(since.seq) : undefined;
    client.listen(topics);
    client.send({ type: "subscribed", topics, seq, complete: missed !== undefined });
    for (const event of missed ?? []) client.event(event);
  }

  #beat(): void {
    const frame: ServerFrame = {
      type: "heartbeat",
      seq: this.#log.seq,
      atMs: this.#options.clock.nowMs(),
    };
    const text = JSON.stringify(frame);
    for (const client of this.#clients) client.beat(text);
  }
}
