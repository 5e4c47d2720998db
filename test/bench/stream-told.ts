import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Notification } from "../../core/alert.ts";
import { STREAM_PROTOCOL, serverFrameSchema } from "../../core/wire-stream.ts";
import { startMailbox } from "../alerts/mailbox.ts";
import { startSlack } from "../alerts/slack-double.ts";

const WAYS = ["websocket", "mail", "slack"] as const;
export type Way = (typeof WAYS)[number];
const PATIENCE_MS = 30_000;

/** Where alerts come to: a client of the stream, a mailbox and a chat; when the last of each came. */
export class Receivers implements AsyncDisposable {
  /** When the daemon published each round of samples, by its own clock: right after it has decided. */
  readonly publishedAtMs: number[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly #waiting = new Map<Way, PromiseWithResolvers<number>>();
  #mailPort = 0;
  #slackUrl = "";

  static async start(): Promise<Receivers> {
    const receivers = new Receivers();
    const mailbox = await startMailbox((step) => {
      if (step === "received") receivers.#came("mail");
    });
    receivers.#stack.use(mailbox);
    receivers.#mailPort = mailbox.port;
    const slack = await startSlack(() => {
      receivers.#came("slack");
      return undefined;
    });
    receivers.#stack.use(slack);
    receivers.#slackUrl = slack.url;
    return receivers;
  }

  /** The channels of a daemon that tells them; each alert by itself. */
  get channels(): unknown {
    const mail = { kind: "email", host: "127.0.0.1", port: this.#mailPort, tls: "none" };
    return {
      mail: { ...mail, from: "flyball@example.org", to: "ops@example.org" },
      chat: { kind: "slack", url: this.#slackUrl },
    };
  }

  async listen(address: string): Promise<void> {
    const socket = new WebSocket(`${address.replace("http", "ws")}/v1/stream`, STREAM_PROTOCOL);
    this.#stack.defer(() => socket.terminate());
    const subscribed = Promise.withResolvers<void>();
    socket.on("error", subscribed.reject);
    socket.on("message", (data) => {
      const frame = serverFrameSchema.parse(JSON.parse(String(data)));
      if (frame.type === "hello") {
        socket.send(JSON.stringify({ type: "subscribe", topics: ["samples", "alerts"] }));
      } else if (frame.type === "subscribed") subscribed.resolve();
      else if (frame.type !== "event") return;
      else if (frame.topic === "samples") this.publishedAtMs.push(frame.atMs);
      else if ((frame.data as Notification).status === "firing") this.#came("websocket");
    });
    await subscribed.promise;
  }

  /** How long after `cause` each was told of what it brought about. @throws Error when one never was */
  async after(cause: () => void): Promise<Readonly<Record<Way, number>>> {
    for (const way of WAYS) this.#waiting.set(way, Promise.withResolvers());
    const startedAtMs = performance.now();
    cause();
    const tooLong = AbortSignal.timeout(PATIENCE_MS);
    const told = WAYS.map(async (way) => {
      const never = sleep(PATIENCE_MS, undefined, { signal: tooLong }).catch(() => undefined);
      const cameAtMs = await Promise.race([this.#waiting.get(way)?.promise, never]);
      if (cameAtMs === undefined) throw new Error(`nobody was told by ${way} within ${PATIENCE_MS} ms`);
      return [way, cameAtMs - startedAtMs] as const;
    });
    return Object.fromEntries(await Promise.all(told)) as Record<Way, number>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #came(way: Way): void {
    this.#waiting.get(way)?.resolve(performance.now());
  }
}
