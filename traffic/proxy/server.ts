import type { Agent } from "node:http";
import { bucketOf, emptyHistogram } from "../latency.ts";
import type { Server } from "../table.ts";
import { serverMark } from "./cookie.ts";
import { Connections } from "./reach.ts";
import { Tally } from "./tally.ts";

/** Where one replica is reached, and what it was asked. */
export class ProxyServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tally: Tally;
  /** Answers by how long they took. */
  readonly histogram: number[];
  /** Stands for it in cookies. */
  readonly mark: string;
  weight: number;
  #isOpen = true;
  readonly #kept: Connections;
  readonly #fresh: Connections;

  /** @param before the same replica, at another address */
  constructor(backend: string, { name, host, port, weight }: Omit<Server, "replica">, before?: ProxyServer) {
    this.name = name;
    this.host = host;
    this.port = port;
    this.weight = weight;
    this.tally = before?.tally ?? new Tally();
    this.histogram = before?.histogram ?? emptyHistogram();
    this.mark = serverMark(backend, name);
    this.#kept = Connections.kept(this);
    this.#fresh = Connections.fresh(this);
  }

  /** It takes new requests; otherwise it only ends those that it has. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    this.#kept.areKept = isOpen;
  }

  get open(): number {
    return this.tally.open;
  }

  /** Connections for requests. @param mayBeSentTwice it does no harm when the replica closes one under a request */
  connections(mayBeSentTwice: boolean): Agent {
    return mayBeSentTwice ? this.#kept : this.#fresh;
  }

  answered(latencyMs: number): void {
    const bucket = bucketOf(latencyMs);
    this.histogram[bucket] = (this.histogram[bucket] ?? 0) + 1;
  }
}
