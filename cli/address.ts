import { isIPv6 } from "node:net";
import type { Config } from "../core/config.ts";
import { FlyballError } from "../core/errors.ts";

/**
 * The address of a daemon as a person writes it, `127.0.0.1:7070` or a URL, as the client needs it.
 * @throws FlyballError CONFIG_INVALID
 */
export function parseAddress(text: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isWeb || url.search !== "" || url.hash !== "") {
    throw new FlyballError("CONFIG_INVALID", `expected an address as http://127.0.0.1:7070, got ${text}`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new FlyballError(
      "CONFIG_INVALID",
      "the address may hold no password: the token is FLYBALL_TOKEN's",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Where a client on this machine finds a daemon that listens there. */
export function addressOf(listen: Config["listen"]): string {
  const anyAddress: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const host = anyAddress[listen.host] ?? listen.host;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${listen.port}`;
}
