import { createHash, timingSafeEqual } from "node:crypto";
import { FlyballError } from "../core/errors.ts";
import { SCOPES, type Scope } from "../core/wire-access.ts";
import type { AccessControl } from "./access-control.ts";
import { hostInUrl, isLoopback, type ListenAddress } from "./addresses.ts";
import { isConsolePath } from "./console.ts";

/** What the guard looks at in a request. */
export interface Credentials {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** Who asks, and what that one may ask. */
export interface Caller {
  readonly name: string;
  readonly scope: Scope;
}

/** Undefined for who asks for nothing but what is open to all. Throws FORBIDDEN or UNAUTHORIZED for what may not be answered. */
export type Guard = (request: Credentials) => Caller | undefined;

export interface GuardOptions {
  readonly listen: ListenAddress;
  /** The one of the configuration. */
  readonly token?: string | undefined;
  /** Those that were made since. */
  readonly tokens: AccessControl["tokens"];
}

/** A supervisor asks these without a token; they tell nothing of what runs. */
const OPEN_PATHS = new Set(["/healthz", "/readyz"]);
const SAFE_METHODS = new Set(["GET", "HEAD"]);
const WHOEVER_IS_HERE: Caller = { name: "this machine", scope: "admin" };

/**
 * Keeps foreign web pages away from an API on this machine, and strangers away from one that has a token.
 * A page whose name was rebound to 127.0.0.1 shows its name in `Host`; a page that posts from elsewhere, in `Origin`.
 */
export function createGuard({ listen, token, tokens }: GuardOptions): Guard {
  const isLocal = isLoopback(listen.host);
  const knownHosts = isLocal
    ? new Set(["localhost", "127.0.0.1", "[::1]", hostInUrl(listen.host)])
    : undefined;
  const configured = token === undefined ? undefined : digest(token);

  return (request) => {
    if (knownHosts !== undefined) requireHost(request.host, knownHosts);
    if (!SAFE_METHODS.has(request.method)) requireSameOrigin(request.origin, request.host);
    if (OPEN_PATHS.has(request.path) || isConsolePath(request.path)) return undefined;
    if (request.authorization === undefined && isLocal && configured === undefined) return WHOEVER_IS_HERE;
    return callerOf(request.authorization, configured, tokens);
  };
}

/** @throws FlyballError FORBIDDEN when the caller's token is not good for that */
export function requireScope(caller: Caller | undefined, needed: Scope | "open"): void {
  if (needed === "open") return;
  const has = caller === undefined ? -1 : SCOPES.indexOf(caller.scope);
  if (has >= SCOPES.indexOf(needed)) return;
  throw new FlyballError(
    "FORBIDDEN",
    `expected a token with the scope ${needed}, got ${caller === undefined ? "none" : `${caller.name} with ${caller.scope}`}`,
  );
}

function requireHost(host: string | undefined, known: ReadonlySet<string>): void {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(host ?? "")?.[1]?.toLowerCase();
  if (name !== undefined && known.has(name)) return;
  throw new FlyballError(
    "FORBIDDEN",
    `expected one of ${[...known].join(", ")} in the Host header, got ${quote(host)}`,
  );
}

function requireSameOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined) return;
  const originHost = URL.parse(origin)?.host;
  if (originHost !== undefined && originHost !== "" && originHost === URL.parse(`http://${host}`)?.host)
    return;
  throw new FlyballError("FORBIDDEN", `a page of the origin ${quote(origin)} may not change anything here`);
}

function callerOf(
  authorization: string | undefined,
  configured: Buffer | undefined,
  tokens: GuardOptions["tokens"],
): Caller {
  if (authorization === undefined) {
    throw new FlyballError("UNAUTHORIZED", "expected the header Authorization: Bearer <token>, got none");
  }
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token !== undefined) {
    // Digests have one length whatever was sent, so that the comparison takes one time.
    if (configured !== undefined && timingSafeEqual(digest(token), configured)) {
      return { name: "configuration", scope: "admin" };
    }
    const known = tokens.find(token);
    if (known !== undefined) return known;
  }
  throw new FlyballError(
    "UNAUTHORIZED",
    "the token in the Authorization header is not known here, or not good any more",
  );
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function quote(value: string | undefined): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
