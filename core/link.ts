import { once } from "node:events";
import type { Socket } from "node:net";
import { IPCModule } from "node-ipc";
import { FlyballError, messageOf } from "./errors.ts";
import { makePrivateDirectory, openLinkPath } from "./link-path.ts";

/**
 * The one adapter around node-ipc: typed messages between processes of this host over a Unix socket in a private
 * directory. Messages are plain data; what is not a message of the expected kind ends the connection it came on.
 */

/** The only event name on the wire: the union's own `type` says what a message is. */
const MESSAGE_EVENT = "message";

/** What node-ipc publishes about itself; the guarded parser lets no peer send these. */
const LIFECYCLE_EVENTS: ReadonlySet<string> = new Set([
  "start",
  "connect",
  "disconnect",
  "destroy",
  "close",
  "socket.disconnected",
  "error",
  "data",
]);

/** A list of 5,000 targets is about 1 MB. */
const DEFAULT_MAX_FRAME_BYTES = 8 * 1024 * 1024;
/** An incomplete frame older than this is a broken peer. */
const FRAME_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 8;

interface LinkOptions<In> {
  /** The private directory of the sockets; the server makes it. */
  readonly directory: string;
  /** Names the socket in the directory: lower-case letters, digits, dashes. */
  readonly name: string;
  /** False for anything that is not a well-formed message: the connection is dropped then. */
  readonly isMessage: (value: unknown) => value is In;
  /** Frames larger than this are refused on both sides. Default 8 MiB. */
  readonly maxFrameBytes?: number;
}

/** One connected client, as the server sees it. */
export interface LinkPeer<Out> {
  /** False: not sent, because earlier messages still wait to be taken, or the peer is gone. */
  send(message: Out): boolean;
  /** Ends the connection; `onDisconnect` follows. */
  drop(): void;
}

export interface LinkServerOptions<In, Out> extends LinkOptions<In> {
  readonly onMessage: (message: In, peer: LinkPeer<Out>) => void;
  readonly onConnect?: (peer: LinkPeer<Out>) => void;
  readonly onDisconnect?: (peer: LinkPeer<Out>) => void;
  /** Told of a dropped client or a socket error, for the log; the server goes on. */
  readonly onProblem?: (problem: FlyballError) => void;
}

export interface LinkServer extends AsyncDisposable {
  /** Drops every client, stops listening and removes the socket. */
  close(): Promise<void>;
}

export interface LinkClientOptions<In> extends LinkOptions<In> {
  readonly onMessage: (message: In) => void;
  /** The link is closed for good: it does not connect again by itself. Not called after `close`. */
  readonly onDisconnect?: (problem: FlyballError | undefined) => void;
  /** What `send` refused can be sent now. */
  readonly onDrain?: () => void;
}

export interface LinkClient<Out> extends Disposable {
  /** False: not sent, because earlier messages still wait to be taken, or the link is closed. */
  send(message: Out): boolean;
  close(): void;
}

/**
 * Listens for clients.
 * @throws FlyballError STORE_UNUSABLE when the socket cannot be made
 */
export async function serveLink<In, Out>(options: LinkServerOptions<In, Out>): Promise<LinkServer> {
  makePrivateDirectory(options.directory);
  const location = openLinkPath(options.directory, checkedName(options.name));
  const ipc = configuredIpc(options);
  ipc.serve(location.path);
  const server = ipc.server;
  if (server === false) throw new FlyballError("INTERNAL", "node-ipc made no server");

  const peers = new Map<Socket, LinkPeer<Out>>();
  let closed = false;
  server.on("connect", (socket) => {
    const peer: LinkPeer<Out> = {
      send: (message) =>
        sendWhenDrained(socket, options.name, () => server.emit(socket, MESSAGE_EVENT, message)),
      drop: () => socket.destroy(),
    };
    peers.set(socket, peer);
    options.onConnect?.(peer);
  });
  server.on("close", (socket) => {
    const peer = peers.get(socket);
    peers.delete(socket);
    if (peer !== undefined && !closed) options.onDisconnect?.(peer);
  });
  server.on("*", (type, data, socket) => {
    if (LIFECYCLE_EVENTS.has(type)) return;
    const peer = peers.get(socket);
    // One chunk can hold several frames: those after the bad one still arrive here.
    if (peer === undefined || socket.destroyed) return;
    if (type === MESSAGE_EVENT && options.isMessage(data)) {
      options.onMessage(data, peer);
      return;
    }
    socket.destroy();
    options.onProblem?.(malformed(options.name, type));
  });

  const started = Promise.withResolvers<void>();
  server.on("start", () => started.resolve());
  server.on("error", (error) => {
    started.reject(error);
    options.onProblem?.(broken(options.name, error));
  });
  try {
    server.start();
    await started.promise;
  } catch (error) {
    location[Symbol.dispose]();
    throw new FlyballError(
      "STORE_UNUSABLE",
      `cannot listen on a socket in ${options.directory}: ${messageOf(error)}`,
      { cause: error },
    );
  }

  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    const listener = server.server;
    server.stop();
    if (listener !== false) await once(listener, "close");
    location[Symbol.dispose]();
  };
  return { close, [Symbol.asyncDispose]: close };
}

/**
 * Connects once.
 * @throws FlyballError LINK_BROKEN when no server answers, STORE_UNUSABLE when the directory cannot be used
 */
export async function connectLink<In, Out>(options: LinkClientOptions<In>): Promise<LinkClient<Out>> {
  using location = openLinkPath(options.directory, checkedName(options.name));
  const ipc = configuredIpc(options);
  ipc.connectTo(options.name, location.path);
  const client = ipc.of[options.name];
  if (client === undefined) throw new FlyballError("INTERNAL", "node-ipc made no client");

  let open = false;
  let problem: FlyballError | undefined;
  const connected = Promise.withResolvers<void>();
  client.on("connect", () => {
    open = true;
    connected.resolve();
  });
  client.on("error", (error) => {
    problem = broken(options.name, error);
  });
  client.on("disconnect", () => {
    if (!open) {
      connected.reject(problem ?? new FlyballError("LINK_BROKEN", `link ${options.name}: closed at once`));
      return;
    }
    open = false;
    options.onDisconnect?.(problem);
  });
  client.on("*", (type, data) => {
    if (LIFECYCLE_EVENTS.has(type) || client.socket.destroyed) return;
    if (type === MESSAGE_EVENT && options.isMessage(data)) {
      options.onMessage(data);
      return;
    }
    problem = malformed(options.name, type);
    client.socket.destroy();
  });
  client.socket.on("drain", () => {
    if (open) options.onDrain?.();
  });
  await connected.promise;

  const close = (): void => {
    open = false;
    ipc.disconnect(options.name);
  };
  return {
    send: (message) =>
      open && sendWhenDrained(client.socket, options.name, () => client.emit(MESSAGE_EVENT, message)),
    close,
    [Symbol.dispose]: close,
  };
}

function configuredIpc(options: {
  readonly name: string;
  readonly directory: string;
  readonly maxFrameBytes?: number;
}): IPCModule {
  const maxFrameBytes = options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES;
  const ipc = new IPCModule();
  Object.assign(ipc.config, {
    id: options.name,
    socketRoot: options.directory,
    parser: "guarded",
    silent: true,
    maxMessageSize: maxFrameBytes,
    // Never reached: `sendWhenDrained` adds at most one frame to what is below the stream's high-water mark.
    maxPendingBytes: 2 * maxFrameBytes + 1024 * 1024,
    messageTimeout: FRAME_TIMEOUT_MS,
    maxConnections: MAX_CONNECTIONS,
    stopRetrying: true,
  } satisfies Partial<IPCModule["config"]>);
  return ipc;
}

/** node-ipc answers a full socket by destroying it; so nothing is given to one that has not drained. */
function sendWhenDrained(socket: Socket, name: string, emit: () => boolean): boolean {
  if (socket.destroyed || socket.writableNeedDrain) return false;
  try {
    emit();
    return true;
  } catch (error) {
    throw broken(name, error);
  }
}

function checkedName(name: string): string {
  if (/^[a-z0-9-]{1,32}$/u.test(name)) return name;
  throw new FlyballError(
    "INTERNAL",
    `expected a link name of lower-case letters, digits and dashes, got ${name}`,
  );
}

function broken(name: string, cause: unknown): FlyballError {
  return new FlyballError("LINK_BROKEN", `link ${name}: ${messageOf(cause)}`, { cause });
}

function malformed(name: string, type: string): FlyballError {
  return new FlyballError(
    "LINK_BROKEN",
    `link ${name}: expected a well-formed message, got a frame of type ${JSON.stringify(type.slice(0, 40))} that is not one; connection dropped`,
  );
}
