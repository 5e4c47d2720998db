import { createServer } from "node:net";
import { isSystemError, messageOf } from "../core/errors.ts";
import { addressText, type Front } from "./table.ts";

type Address = Pick<Front, "host" | "port">;

/** Addresses that the balancer would not get, so that one of them does not keep it from all the others. */
export class Ports {
  readonly #taken = new Map<string, Address & { readonly reason: string }>();
  readonly #tryAgainAfterMs: number;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  /** @param tryAgainAfterMs how long an address that is taken is believed to stay so */
  constructor(tryAgainAfterMs: number) {
    this.#tryAgainAfterMs = tryAgainAfterMs;
  }

  /** `host:port`, and why. */
  get taken(): ReadonlyMap<string, string> {
    return new Map([...this.#taken].map(([address, { reason }]) => [address, reason]));
  }

  /** Tries these, and now and then those that were taken. True: others are taken now than before. */
  async look(addresses: readonly Address[], nowMs: number): Promise<boolean> {
    const before = [...this.#taken.keys()].join();
    const again = nowMs - this.#triedAtMs >= this.#tryAgainAfterMs ? [...this.#taken.values()] : [];
    for (const { host, port } of [...addresses, ...again]) {
      const reason = await takenAddress(host, port);
      if (reason === undefined) this.#taken.delete(addressText(host, port));
      else this.#taken.set(addressText(host, port), { host, port, reason });
    }
    if (addresses.length + again.length > 0) this.#triedAtMs = nowMs;
    return [...this.#taken.keys()].join() !== before;
  }
}

/** Why nobody new can listen there; absent: one can. It is really tried. */
function takenAddress(host: string, port: number): Promise<string | undefined> {
  const address = addressText(host, port);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      if (isSystemError(error, "EADDRINUSE")) resolve(`another program listens on ${address}`);
      else if (isSystemError(error, "EADDRNOTAVAIL")) resolve(`${host} is no address of this machine`);
      else if (isSystemError(error, "EACCES")) resolve(`listening on ${address} is not allowed`);
      else resolve(`nobody can listen on ${address}: ${messageOf(error)}`);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
