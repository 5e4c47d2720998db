import { createTransport, type NodemailerError } from "nodemailer";
import type { Notification } from "../../core/alert.ts";
import { messageOf as textOf } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import { type Channel, DeliveryFailed } from "./channel.ts";
import { mailOf } from "./mail.ts";
import { plain } from "./plain.ts";

export interface EmailOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte · `starttls`: demanded · `opportunistic`: where it is offered · `none` */
  readonly tls: "implicit" | "starttls" | "opportunistic" | "none";
  readonly user?: string;
  readonly password?: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly externalUrl: string;
}

const PATIENCE_MS = 10 * SECOND_MS;
const MOST_SHOWN = 300;
/** Mistakes in what was given to send, and not of the way. */
const PERMANENT_CODES = new Set(["EENVELOPE", "EMESSAGE", "ECONFIG"]);

export function emailChannel(options: EmailOptions): Channel {
  const { name, host, port, tls, user, password } = options;
  const transport = createTransport({
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  /** Who has it already of those that were written to, by the notification's id: the others alone are tried again. */
  const taken = new Map<string, Set<string>>();

  return {
    name,
    kind: "email",
    paceMs: 0,
    async send(notification: Notification, signal: AbortSignal): Promise<void> {
      const have = taken.get(notification.id) ?? new Set();
      const to = options.to.filter((address) => !have.has(address));
      try {
        const mail = mailOf(notification, options);
        const { rejected, rejectedErrors = [] } = await transport.sendMail({
          ...mail,
          envelope: { from: options.from, to },
          signal,
        });
        if (rejected.length > 0) {
          const refused = new Set(rejected.map(String));
          taken.set(notification.id, new Set([...have, ...to.filter((address) => !refused.has(address))]));
          throw refusalOf(rejectedErrors, `${rejected.length} of ${options.to.length} recipients`, password);
        }
        taken.delete(notification.id);
      } catch (error) {
        const failure = error instanceof DeliveryFailed ? error : failureOf(error, password);
        if (failure.isPermanent) taken.delete(notification.id);
        throw failure;
      }
    },
  };
}

/** Some have it and some do not: it is tried again for as long as one of those may still take it. */
function refusalOf(
  errors: readonly NodemailerError[],
  who: string,
  password: string | undefined,
): DeliveryFailed {
  const [first] = errors;
  const isPermanent = errors.length > 0 && errors.every(({ permanent }) => permanent === true);
  return new DeliveryFailed(shown(`${who} refused: ${first?.message ?? "no reason given"}`, password), {
    isPermanent,
  });
}

function failureOf(error: unknown, password: string | undefined): DeliveryFailed {
  const { permanent, code } = error as Partial<NodemailerError>;
  // A wrong password is put right while the message waits.
  const isPermanent = code !== "EAUTH" && (permanent ?? (code !== undefined && PERMANENT_CODES.has(code)));
  return new DeliveryFailed(shown(textOf(error), password), { isPermanent });
}

/** A server may say what it was sent. */
function shown(message: string, password: string | undefined): string {
  const encoded = password === undefined ? [] : [password, Buffer.from(password).toString("base64")];
  const clean = encoded.filter((one) => one !== "").reduce((text, one) => text.replaceAll(one, "…"), message);
  return plain(clean, MOST_SHOWN);
}
