import { Agent, type ClientRequestArgs } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isSystemError } from "../../core/errors.ts";

const CONNECT_WITHIN_MS = 2_000;
/** Of a replica, while nobody has a request for it. */
const MOST_IDLE_CONNECTIONS = 64;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Nobody answered there, so that nothing was sent and it may be tried elsewhere. */
export class NotReached extends Error {}

/** A connection that is open. @throws NotReached */
export function reach({ host, port }: Address, options: { allowHalfOpen?: boolean } = {}): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ host, port, noDelay: true, ...options });
  const failed = (cause: unknown) => {
    socket.destroy();
    const reason = isSystemError(cause, "ECONNREFUSED") ? "nobody listens there" : "it cannot be reached";
    reject(new NotReached(`${host}:${port}: ${reason}`, { cause }));
  };
  socket.setTimeout(CONNECT_WITHIN_MS, () => failed(undefined));
  socket.once("error", failed);
  socket.once("connect", () => {
    socket.setTimeout(0);
    socket.removeAllListeners("timeout");
    // Still listened to for errors, so that one before it is used ends nothing but it.
    resolve(socket);
  });
  return promise;
}

/** Gives a request its connection only when it is open: of one that fails before, the body is still there. */
export class Connections extends Agent {
  readonly #open: () => Promise<Socket>;
  #areKept = true;

  private constructor(open: () => Promise<Socket>, keepAlive: boolean) {
    super({ keepAlive, maxFreeSockets: MOST_IDLE_CONNECTIONS });
    this.#open = open;
  }

  /** They are used again and again. */
  static kept(address: Address): Connections {
    return new Connections(() => reach(address), true);
  }

  /** Each is used once: one that the replica closes at this moment cannot be met. */
  static fresh(address: Address): Connections {
    return new Connections(() => reach(address), false);
  }

  /** This one is used, once. */
  static only(socket: Socket): Connections {
    return new Connections(() => Promise.resolve(socket), false);
  }

  /** Idle ones are closed, and so are others as soon as they are idle; those in use go on. */
  set areKept(areKept: boolean) {
    this.#areKept = areKept;
    if (areKept) return;
    for (const socket of Object.values(this.freeSockets).flat()) socket?.destroy();
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // Its type says that it tells nothing.
    const isWorthIt = super.keepSocketAlive as (socket: Duplex) => boolean;
    return this.#areKept && isWorthIt.call(this, socket);
  }

  override createConnection(
    _: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // Node hands on an error without a socket, whatever its type says.
    const give = done as ((error: Error | null, socket?: Duplex) => void) | undefined;
    this.#open().then(
      (socket) => give?.(null, socket),
      (error: Error) => give?.(error),
    );
  }
}
