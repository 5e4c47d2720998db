import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";
import { WebSocket } from "ws";
import type { Notification } from "../../core/alert.ts";
import { STREAM_PROTOCOL, serverFrameSchema } from "../../core/wire-stream.ts";

/** Somebody was told of the alert. */
export interface Told {
  readonly by: "websocket" | "mail";
  readonly atMs: number;
  readonly status: "firing" | "resolved";
  /** What the alert says; of a mail, its subject. */
  readonly text: string;
}

/** Fires when the shop has grown, and is over when it has shrunk again. */
const RULE = "ServiceReplicas";
const THRESHOLD = "> 2 for 0s keep 0s";

/** Whoever is told of alerts: a mailbox of the demo's own, and a client of the daemon's stream. */
export class AlertWitness implements AsyncDisposable {
  readonly told: Told[] = [];
  readonly #mailbox: SMTPServer;
  #socket: WebSocket | undefined;
  #port = 0;

  private constructor() {
    this.#mailbox = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      disableReverseLookup: true,
      closeTimeout: 100,
      onData: (stream, _session, done) => {
        text(stream)
          .then((mail) => this.#received(mail))
          .then(() => done(), done);
      },
    });
    // A daemon that ends in the middle of a mail is no error of the mailbox.
    this.#mailbox.on("error", () => {});
  }

  static async start(): Promise<AlertWitness> {
    const witness = new AlertWitness();
    const listener = witness.#mailbox.listen(0, "127.0.0.1");
    await once(listener, "listening");
    witness.#port = (listener.address() as AddressInfo).port;
    return witness;
  }

  /** The configuration of a daemon that tells this one. */
  get config(): string {
    const mailbox = {
      ...{ kind: "email", host: "127.0.0.1", port: this.#port, tls: "none" },
      ...{ from: "Flyball <flyball@example.org>", to: "you@example.org", match: [`alertname=${RULE}`] },
    };
    return JSON.stringify({ alerts: { services: { replicas: THRESHOLD }, channels: { mailbox } } });
  }

  /** Resolves when the daemon has said that it will tell. */
  async listen(url: string): Promise<void> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/stream`, STREAM_PROTOCOL);
    this.#socket = socket;
    const subscribed = Promise.withResolvers<void>();
    // Of a daemon that ends, its own log says why.
    socket.on("error", subscribed.reject);
    socket.on("message", (data) => {
      const frame = serverFrameSchema.parse(JSON.parse(String(data)));
      if (frame.type === "hello") socket.send(JSON.stringify({ type: "subscribe", topics: ["alerts"] }));
      else if (frame.type === "subscribed") subscribed.resolve();
      else if (frame.type === "event") this.#heard(frame.data as Notification);
    });
    await subscribed.promise;
  }

  /** Both were told that it began, and that it is over. */
  get hasHeardAll(): boolean {
    const has = (by: Told["by"]) => this.told.some((one) => one.by === by && one.status === "resolved");
    return has("websocket") && has("mail");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.terminate();
    await new Promise<void>((resolve) => this.#mailbox.close(() => resolve()));
  }

  #heard({ status, groupLabels, alerts }: Notification): void {
    if (groupLabels["alertname"] !== RULE) return;
    const summary = alerts[0]?.summary ?? "";
    this.told.push({ by: "websocket", atMs: Date.now(), status, text: summary });
  }

  async #received(mail: string): Promise<void> {
    const { subject = "" } = await PostalMime.parse(mail);
    const status = subject.startsWith("[RESOLVED]") ? "resolved" : "firing";
    this.told.push({ by: "mail", atMs: Date.now(), status, text: subject });
  }
}
