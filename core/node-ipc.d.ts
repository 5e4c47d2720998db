/** The part of node-ipc 14.0.0 that `link.ts` uses; the package has no types of its own. */
declare module "node-ipc" {
  import type { Server as NetServer, Socket } from "node:net";

  interface Config {
    id: string;
    socketRoot: string;
    parser: "guarded";
    silent: boolean;
    maxMessageSize: number;
    maxPendingBytes: number;
    messageTimeout: number;
    maxConnections: number;
    stopRetrying: boolean;
  }

  interface Server {
    /** The net server, once started. */
    readonly server: NetServer | false;
    on(event: "start", handler: () => void): this;
    on(event: "connect" | "close", handler: (socket: Socket) => void): this;
    on(event: "error", handler: (error: Error) => void): this;
    on(event: "*", handler: (type: string, data: unknown, socket: Socket) => void): this;
    emit(socket: Socket, type: string, data: unknown): boolean;
    start(): void;
    stop(): void;
  }

  interface Client {
    readonly socket: Socket;
    on(event: "connect" | "disconnect", handler: () => void): this;
    on(event: "error", handler: (error: Error) => void): this;
    on(event: "*", handler: (type: string, data: unknown) => void): this;
    emit(type: string, data: unknown): boolean;
  }

  export class IPCModule {
    readonly config: Config;
    readonly server: Server | false;
    readonly of: Record<string, Client>;
    serve(path: string): void;
    connectTo(id: string, path: string): void;
    disconnect(id: string): void;
  }
}
