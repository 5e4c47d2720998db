import type { Notification } from "../../core/alert.ts";

/** A way to tell people. It says whether another attempt can help; when, and for how long, is for others to say. */
export interface Channel {
  readonly name: string;
  readonly kind: "email" | "slack" | "webhook";
  /** The least time between two messages. */
  readonly paceMs: number;
  /** Resolves when the receiver has taken it. @throws DeliveryFailed */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}

/** The receiver did not take a message. Its text holds no secret: no address of a webhook, no password. */
export class DeliveryFailed extends Error {
  override readonly name = "DeliveryFailed";
  /** No further attempt can help: the message or the receiver's settings are at fault. */
  readonly isPermanent: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { isPermanent?: boolean; retryAfterMs?: number } = {}) {
    super(message);
    this.isPermanent = options.isPermanent ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}
