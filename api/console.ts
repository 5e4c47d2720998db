import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Request, RequestHandler, Response } from "express";
import { FlyballError, isSystemError } from "../core/errors.ts";

const INDEX = "index.html";
const FOLDER = "/console/";

/** The page itself is no secret, what it shows is: it asks for the token, and sends it with what it asks the API. */
export function isConsolePath(path: string): boolean {
  return path === "/" || path.startsWith(FOLDER);
}

/**
 * Scripts and styles are files from here, and nothing else is loaded, framed or sent anywhere. What a name or a label
 * says could not run even where the page took it for HTML.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
  "Referrer-Policy": "no-referrer",
  "X-Frame-Options": "DENY",
};

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Ends of file names, the best first. */
const ENCODINGS = { br: ".br", gzip: ".gz" } as const;
type Encoding = keyof typeof ENCODINGS;

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly identity: Buffer;
  readonly br?: Buffer;
  readonly gzip?: Buffer;
}

/** The live console: the files of that folder at `/` and below `/console/`. They are read once. */
export function serveConsole(directory: string): RequestHandler {
  const assets = readAssets(directory);
  return (request, response, next) => {
    if (!isConsolePath(request.path) || !["GET", "HEAD"].includes(request.method)) return next();
    const name = request.path === "/" ? INDEX : request.path.slice(FOLDER.length);
    const asset = assets.get(name);
    if (asset === undefined) throw missing(request.path, assets);
    send(request, response, asset, name === INDEX);
  };
}

function send(request: Request, response: Response, asset: Asset, isIndex: boolean): void {
  response.set({
    ...HEADERS,
    ETag: asset.etag,
    Vary: "Accept-Encoding",
    // Whatever else is named by a hash of itself.
    "Cache-Control": isIndex ? "no-cache" : "public, max-age=31536000, immutable",
  });
  if (request.fresh) {
    response.status(304).end();
    return;
  }
  const accepted = request.acceptsEncodings("br", "gzip", "identity");
  const encoding = accepted === "br" || accepted === "gzip" ? accepted : undefined;
  const packed = encoding === undefined ? undefined : asset[encoding];
  if (encoding !== undefined && packed !== undefined) response.set("Content-Encoding", encoding);
  response.set("Content-Type", asset.type).send(packed ?? asset.identity);
}

function readAssets(directory: string): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  const names = namesIn(directory);
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const identity = readFileSync(join(directory, name));
    const etag = `"${createHash("sha256").update(identity).digest("base64url").slice(0, 22)}"`;
    const packed = (encoding: Encoding) => {
      const file = `${name}${ENCODINGS[encoding]}`;
      return names.includes(file) ? { [encoding]: readFileSync(join(directory, file)) } : {};
    };
    assets.set(name, { type, etag, identity, ...packed("br"), ...packed("gzip") });
  }
  return assets;
}

/** None where the console was never built: the daemon does its work without. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

function missing(path: string, assets: ReadonlyMap<string, Asset>): FlyballError {
  const why = assets.size === 0 ? "the console was not built: npm run console" : `there is no page ${path}`;
  return new FlyballError("NOT_FOUND", why);
}
