/** One port per replica, out of a range. */
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { FlyballError } from "../../../core/errors.ts";
import type { ReplicaId, ServiceId } from "../../../core/types.ts";

/** First and last, both included. Below the range from which Linux takes ports for outgoing connections. */
export type PortRange = readonly [number, number];

export const DEFAULT_PORT_RANGE: PortRange = [20_000, 29_999];

/**
 * Where a slot starts looking for its port: always at the same place, so that the seat keeps its port when a replica
 * is replaced, with nothing to be remembered.
 */
export function preferredPort(service: ServiceId, slot: number, [first, last]: PortRange): number {
  const hash = createHash("sha256").update(`${service}.${slot}`).digest().readUInt32BE(0);
  return first + (hash % (last - first + 1));
}

/** The ports of the range in the order in which to try them. */
export function* portsFrom(preferred: number, [first, last]: PortRange): Generator<number> {
  const size = last - first + 1;
  for (let step = 0; step < size; step += 1) yield first + ((preferred - first + step) % size);
}

/** Really binds it: the only answer that counts. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export class PortPool {
  readonly #range: PortRange;
  readonly #holders = new Map<number, ReplicaId>();

  constructor(range: PortRange) {
    this.#range = range;
  }

  /** The replica has this port already, from a record. */
  hold(port: number, replica: ReplicaId): void {
    this.#holders.set(port, replica);
  }

  release(replica: ReplicaId): void {
    for (const [port, holder] of this.#holders) if (holder === replica) this.#holders.delete(port);
  }

  /**
   * A port that nobody listens on and no other replica has been given.
   * @throws FlyballError ENGINE_REFUSED when the range is used up
   */
  async take(replica: ReplicaId, service: ServiceId, slot: number): Promise<number> {
    for (const port of portsFrom(preferredPort(service, slot, this.#range), this.#range)) {
      if (this.#holders.has(port)) continue;
      // Held before the question is asked, since others ask at the same time.
      this.#holders.set(port, replica);
      if (await isPortFree(port)) return port;
      this.#holders.delete(port);
    }
    const [first, last] = this.#range;
    throw new FlyballError("ENGINE_REFUSED", `${service}: no free port for slot ${slot} in ${first}-${last}`);
  }
}
