import { once } from "node:events";
import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** The steps of a conversation, in order; each before the server answers. */
export type SmtpStep = "connect" | "mail" | "recipient" | "data" | "received" | "answered";

export interface Received extends Email {
  readonly raw: string;
}

export interface Mailbox extends AsyncDisposable {
  readonly port: number;
  readonly mails: readonly Received[];
  /** Resolves when there are so many mails. */
  until(count: number): Promise<readonly Received[]>;
}

/**
 * An SMTP server that keeps what it gets.
 *
 * @param onStep may throw to refuse, with `responseCode` to say how; `value` is the address of mail and recipient
 */
export async function startMailbox(
  onStep: (step: SmtpStep, value: string) => Promise<void> | void = () => {},
  options: SMTPServerOptions = {},
): Promise<Mailbox> {
  const mails: Received[] = [];
  let changed = Promise.withResolvers<void>();
  const step = (name: SmtpStep, value: string, done: (error?: Error | null) => void) => {
    void Promise.resolve()
      .then(() => onStep(name, value))
      .then(() => done(), done);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 100,
    onConnect: (_session, done) => step("connect", "", done),
    onMailFrom: ({ address }, _session, done) => step("mail", address, done),
    onRcptTo: ({ address }, _session, done) => step("recipient", address, done),
    onData: (stream, _session, done) => {
      void (async () => {
        const chunks: Buffer[] = [];
        try {
          await onStep("data", "");
          for await (const chunk of stream) chunks.push(chunk as Buffer);
          await onStep("received", "");
          const raw = Buffer.concat(chunks).toString();
          mails.push({ ...(await PostalMime.parse(raw)), raw });
          changed.resolve();
          changed = Promise.withResolvers();
          await onStep("answered", "");
          done();
        } catch (error) {
          stream.resume();
          done(error as Error);
        }
      })();
    },
    ...options,
  });
  // A client that was killed is no error of the server's.
  server.on("error", () => {});
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    mails,
    async until(count) {
      while (mails.length < count) await changed.promise;
      return mails;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** How a server refuses: 451 for now, 550 for good. */
export function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
