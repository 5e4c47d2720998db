import { readFileSync } from "node:fs";
import type { ChannelConfig } from "../../core/alerts-config.ts";
import { FlyballError, messageOf } from "../../core/errors.ts";
import type { Channel } from "./channel.ts";
import { slackChannel } from "./slack.ts";
import { webhookChannel } from "./webhook.ts";

export interface OpenOptions {
  readonly externalUrl: string;
  readonly nowMs: () => number;
}

const SMTPS_PORT = 465;
const SUBMISSION_PORT = 587;

/** The channel that the settings describe. @throws FlyballError CONFIG_INVALID when a file of a secret cannot be read */
export async function openChannel(config: ChannelConfig, options: OpenOptions): Promise<Channel> {
  const { name } = config;
  const secret = (key: string, value: string | undefined, file: string | undefined) =>
    file === undefined ? value : readSecret(`alerts.channels.${name}.${key}`, file);
  switch (config.kind) {
    case "email": {
      const {
        host,
        user,
        from,
        to,
        port = config.tls === "implicit" ? SMTPS_PORT : SUBMISSION_PORT,
      } = config;
      const password = secret("passwordFile", config.password, config.passwordFile);
      // Loaded when there is a mail to write.
      const { emailChannel } = await import("./email.ts");
      return emailChannel({
        ...{ name, host, port, from, to, externalUrl: options.externalUrl },
        tls: config.tls ?? defaultTls(port, user),
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { password }),
      });
    }
    case "slack":
      return slackChannel({ name, url: urlOf(config, secret), nowMs: options.nowMs });
    case "webhook": {
      const token = secret("tokenFile", config.token, config.tokenFile);
      const url = urlOf(config, secret);
      return webhookChannel({ name, url, ...options, ...(token === undefined ? {} : { token }) });
    }
  }
}

/** A password is sent to nobody in the clear, unless the settings say so. */
function defaultTls(port: number, user: string | undefined): "implicit" | "starttls" | "opportunistic" {
  if (port === SMTPS_PORT) return "implicit";
  return user === undefined ? "opportunistic" : "starttls";
}

function urlOf(
  { name, url, urlFile }: Extract<ChannelConfig, { kind: "slack" | "webhook" }>,
  secret: (key: string, value: string | undefined, file: string | undefined) => string | undefined,
): string {
  const text = secret("urlFile", url, urlFile) ?? "";
  const { protocol, username } = URL.parse(text) ?? {};
  if ((protocol === "http:" || protocol === "https:") && username === "") return text;
  throw new FlyballError(
    "CONFIG_INVALID",
    `alerts.channels.${name}: expected an http or https URL, and no user in it`,
  );
}

function readSecret(place: string, file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new FlyballError("CONFIG_INVALID", `${place}: ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
