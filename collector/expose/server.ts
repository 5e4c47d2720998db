import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { FlyballError, isSystemError } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import { Slices } from "../slices.ts";
import { CONTENT_TYPES, formatFor, type PageFormat } from "./page-format.ts";
import type { Pages, Writing } from "./pages.ts";

export interface MetricsServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly pages: Pick<Pages, "write" | "gzipped" | "atMs">;
  /** The containers' own metrics. */
  readonly applications?: (format: PageFormat) => string;
  /** Called for each page that is given out. */
  readonly onScrape?: () => void;
  /** Wall-clock time, milliseconds since 1970. */
  readonly now: () => number;
}

export interface MetricsServer extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
}

/** Scrapers come one at a time or a few; more than this are no scrapers. */
const MAX_CONNECTIONS = 100;
/** A scraper that takes nothing for so long is cut off: it holds a page in memory. */
const IDLE_MS = 30 * SECOND_MS;
const HEADERS_MS = 10 * SECOND_MS;
/** Longer than Prometheus waits between two scrapes as a rule, so that its connection is used again. */
const KEEP_ALIVE_MS = 75 * SECOND_MS;
/** Values older than this are not of a collector that works. */
const STALE_MS = 60 * SECOND_MS;

/**
 * Serves `/metrics`, `/metrics/applications` and `/healthz`. A page is handed over and never waited for: a slow
 * scraper holds up neither the others nor the sampling. @throws FlyballError PORT_IN_USE, LISTEN_REFUSED
 */
export async function serveMetrics(options: MetricsServerOptions): Promise<MetricsServer> {
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS },
    (request, response) => {
      // A scraper that went away midway is no error of ours.
      response.on("error", () => {});
      answer(request, response, options).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  server.on("clientError", (_, socket) => socket.destroy());
  const { host, port } = options.listen;
  await listen(server, host, port);
  const bound = server.address();
  return {
    address: { host, port: typeof bound === "object" && bound !== null ? bound.port : port },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const where = `${host}:${port}`;
      reject(
        isSystemError(error, "EADDRINUSE")
          ? new FlyballError("PORT_IN_USE", `expected ${where} to be free for metrics, but it is taken`)
          : new FlyballError("LISTEN_REFUSED", `metrics cannot be served on ${where}: ${error.message}`),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MetricsServerOptions,
): Promise<void> {
  const { pages, applications, onScrape, now } = options;
  const path = request.url?.split("?", 1)[0];
  const format = formatFor(request.headers.accept);
  if (request.method !== "GET" && request.method !== "HEAD") {
    plain(response.setHeader("allow", "GET, HEAD"), 405, "expected GET or HEAD");
  } else if (path === "/healthz") {
    const ageMs = pages.atMs === undefined ? undefined : now() - pages.atMs;
    const isWell = ageMs !== undefined && ageMs < STALE_MS;
    plain(response, isWell ? 200 : 503, isWell ? "ok" : ageMs === undefined ? "nothing read yet" : "stale");
  } else if (path === "/metrics") {
    onScrape?.();
    await page(request, response, format, pages);
  } else if (path === "/metrics/applications" && applications !== undefined) {
    const text = Buffer.from(applications(format));
    response.setHeader("content-type", CONTENT_TYPES[format]);
    response.setHeader("content-length", text.length);
    response.end(text);
  } else {
    plain(response, 404, "expected /metrics or /healthz");
  }
}

async function page(
  request: IncomingMessage,
  response: ServerResponse,
  format: PageFormat,
  pages: MetricsServerOptions["pages"],
): Promise<void> {
  response.setHeader("content-type", CONTENT_TYPES[format]);
  response.setHeader("vary", "accept, accept-encoding");
  const isHead = request.method === "HEAD";
  if (takesGzip(request.headers["accept-encoding"])) {
    response.setHeader("content-encoding", "gzip");
    const body = await pages.gzipped(format);
    response.setHeader("content-length", body.length);
    response.end(isHead ? undefined : body);
    return;
  }
  using writing = await pages.write(format);
  response.setHeader("content-length", writing.length);
  if (!isHead) await writePieces(response, writing);
  response.end();
}

/** How fast they are taken is not waited for: whoever is slow holds up neither sampling nor other scrapers. */
async function writePieces(response: ServerResponse, { pieces, give }: Writing): Promise<void> {
  const slices = new Slices(() => performance.now());
  for (const piece of pieces()) {
    if (response.destroyed) return;
    response.write(piece, () => give(piece));
    if (slices.isOver) await slices.next();
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

/** Whether an `Accept-Encoding` header takes gzip; without one, or where it refuses it, the page goes as it is. */
export function takesGzip(header: string | string[] | undefined): boolean {
  for (const coding of String(header ?? "")
    .toLowerCase()
    .split(",")) {
    const [name, ...parameters] = coding.split(";").map((part) => part.trim());
    if (name !== "gzip") continue;
    return !parameters.some((parameter) => /^q=0(?:\.0*)?$/u.test(parameter));
  }
  return false;
}
