import { once } from "node:events";
import type { Server } from "node:net";
import { isSystemError, messageOf } from "../../core/errors.ts";
import { Refusal } from "../balancer.ts";
import { addressText, type Front } from "../table.ts";
import type { ProxyBackend } from "./backend.ts";

export type Backends = ReadonlyMap<string, ProxyBackend>;

/** One address that is listened on. */
export interface Door {
  /** Where what comes from now on is led. */
  lead(routes: Front["routes"]): void;
  /** Nobody new comes in; what is under way goes on until its own end. Resolves with the last of it. */
  close(): Promise<void>;
  /** What has no end by itself is cut; requests are answered if they are within the time. */
  end(withinMs: number): Promise<void>;
}

/** Resolves when its last connection has ended. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** @throws Refusal */
export async function listen(server: Server, { host, port }: Front): Promise<void> {
  const address = addressText(host, port);
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, "listening");
  } catch (error) {
    const why = isSystemError(error, "EADDRINUSE") ? "another program listens there" : messageOf(error);
    throw new Refusal(`nobody can listen on ${address}: ${why}`, { cause: error });
  }
  server.on("error", () => {});
}
