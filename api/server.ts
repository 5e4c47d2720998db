import { createServer, type Server } from "node:http";
import { FlyballError, isSystemError, messageOf } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import { formatAddress, isLoopback, type ListenAddress } from "./addresses.ts";
import { createApp } from "./app.ts";
import type { Control } from "./control.ts";
import { createGuard } from "./guard.ts";
import { ROUTES } from "./routes.ts";
import type { StreamHub } from "./stream/hub.ts";
import { createUpgrade } from "./stream/upgrade.ts";

export interface ApiOptions {
  readonly control: Control;
  /** Who listens at the stream is given what is published there. Ends with the API. */
  readonly stream: StreamHub;
  readonly listen: ListenAddress;
  /** Without one the API serves this machine only. */
  readonly token?: string;
  /** The folder of what the live console is made of; absent: there is none. */
  readonly consoleDirectory?: string;
  readonly log: Log;
}

export interface Api extends AsyncDisposable {
  /** With the port the system chose, when port 0 was asked for. */
  readonly address: ListenAddress;
}

/** How long requests in flight may take to end when the API closes. */
const CLOSE_GRACE_MS = 2_000;

/**
 * Serves the API until it is disposed. @throws FlyballError LISTEN_REFUSED for an address beyond this machine and no
 * token, or one that the system refuses; PORT_IN_USE
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { control, stream, listen, token, consoleDirectory, log } = options;
  const { tokens } = control.access;
  if (token === undefined && !tokens.areThere && !isLoopback(listen.host)) {
    throw new FlyballError(
      "LISTEN_REFUSED",
      `other machines could reach ${formatAddress(listen)} without a token: expected 127.0.0.1, ::1 or localhost, or a token`,
    );
  }
  const guard = createGuard({ listen, token, tokens });
  const closes = new AbortController();
  const { signal } = closes;
  const app = createApp({ routes: ROUTES, control, guard, consoleDirectory, log, closing: signal });
  const server = createServer(app);
  server.on("upgrade", createUpgrade({ hub: stream, guard, log }));
  await bind(server, listen);
  // Without a listener, a connection that cannot be accepted (too many open files) would end the daemon.
  server.on("error", (error) => log.error({ err: error }, "the API could not accept a connection"));
  const bound = server.address();
  const address =
    bound === null || typeof bound === "string" ? listen : { host: bound.address, port: bound.port };

  let closing: Promise<void> | undefined;
  return {
    address,
    [Symbol.asyncDispose]() {
      closes.abort();
      closing ??= Promise.all([stream[Symbol.asyncDispose](), close(server)]).then(() => {});
      return closing;
    },
  };
}

async function bind(server: Server, listen: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: listen.host, port: listen.port }, resolve);
  try {
    await promise;
  } catch (error) {
    const place = formatAddress(listen);
    if (isSystemError(error, "EADDRINUSE")) {
      throw new FlyballError("PORT_IN_USE", `${place} is taken: another program listens there`, {
        cause: error,
      });
    }
    throw new FlyballError("LISTEN_REFUSED", `cannot listen on ${place}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  server.off("error", reject);
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // A connection that becomes idle while others end would hold the server open until its keep-alive runs out.
  server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
  server.close(() => resolve());
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await promise;
  clearInterval(sweep);
  clearTimeout(cut);
}
