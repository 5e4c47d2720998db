import { createHash, timingSafeEqual } from "node:crypto";
import { FlyballError } from "../core/errors.ts";
import { hostInUrl, isLoopback, type ListenAddress } from "./addresses.ts";

/** What the guard looks at in a request. */
export interface Credentials {
  readonly method: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** Throws FORBIDDEN or UNAUTHORIZED for a request that may not be answered. */
export type Guard = (request: Credentials) => void;

/** A supervisor asks these without a token; they tell nothing of what runs. */
const OPEN_PATHS = new Set(["/healthz", "/readyz"]);
const SAFE_METHODS = new Set(["GET", "HEAD"]);

/**
 * Keeps foreign web pages away from an API on this machine, and strangers away from one that has a token.
 * A page whose name was rebound to 127.0.0.1 shows its name in `Host`; a page that posts from elsewhere, in `Origin`.
 */
export function createGuard(listen: ListenAddress, token: string | undefined): Guard {
  const knownHosts = isLoopback(listen.host)
    ? new Set(["localhost", "127.0.0.1", "[::1]", hostInUrl(listen.host)])
    : undefined;
  const expectedDigest = token === undefined ? undefined : digest(token);

  return (request) => {
    if (knownHosts !== undefined) requireHost(request.host, knownHosts);
    if (!SAFE_METHODS.has(request.method)) requireSameOrigin(request.origin, request.host);
    if (expectedDigest !== undefined && !OPEN_PATHS.has(request.path)) {
      requireToken(request.authorization, expectedDigest);
    }
  };
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

function requireToken(authorization: string | undefined, expectedDigest: Buffer): void {
  if (authorization === undefined) {
    throw new FlyballError("UNAUTHORIZED", "expected the header Authorization: Bearer <token>, got none");
  }
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  // Digests have one length whatever was sent, so that the comparison takes one time.
  if (token !== undefined && timingSafeEqual(digest(token), expectedDigest)) return;
  throw new FlyballError("UNAUTHORIZED", "the token in the Authorization header is not the daemon's");
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function quote(value: string | undefined): string {
  return value === undefined ? "none" : JSON.stringify(value);
}
