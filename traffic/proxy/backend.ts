import type { Counted } from "../readings.ts";
import type { Backend } from "../table.ts";
import { ProxyServer } from "./server.ts";
import { Tally } from "./tally.ts";
import { Turns } from "./turns.ts";

/** One port of one service: who serves, and whose turn it is. */
export class ProxyBackend implements Disposable {
  readonly name: string;
  readonly tally = new Tally();
  readonly #servers = new Map<string, ProxyServer>();
  readonly #turns = new Turns<ProxyServer>();
  #wanted: Backend;
  #waker: ProxyServer | undefined;

  constructor(wanted: Backend) {
    this.name = wanted.name;
    this.#wanted = wanted;
    this.keep(wanted);
  }

  /** As it was asked for last. */
  get policy(): Backend {
    return this.#wanted;
  }

  get servers(): readonly ProxyServer[] {
    return [...this.#servers.values()];
  }

  /** These serve from now on. True: others, or in another way than before. */
  keep(wanted: Backend): boolean {
    this.#wanted = wanted;
    let hasChanged = false;
    for (const server of wanted.servers) {
      const has = this.#servers.get(server.name);
      if (has?.host === server.host && has.port === server.port) {
        hasChanged ||= !has.isOpen || has.weight !== server.weight;
        has.isOpen = true;
        has.weight = server.weight;
      } else {
        hasChanged = true;
        if (has !== undefined) has.isOpen = false;
        this.#servers.set(server.name, new ProxyServer(this.name, server, has));
      }
    }
    const names = new Set(wanted.servers.map(({ name }) => name));
    for (const server of this.servers) if (!names.has(server.name)) hasChanged = this.#leaves(server);
    this.#keepWaker(wanted.waker);
    return hasChanged;
  }

  /** The server gets nothing new from now on. */
  close(name: string): void {
    const server = this.#servers.get(name);
    if (server !== undefined) server.isOpen = false;
  }

  /**
   * Who is to be asked next. @param mark of the one that the client sticks to
   * @returns undefined when nobody serves but those who are not to be asked
   */
  pick(but: ReadonlySet<ProxyServer>, mark?: string): ProxyServer | undefined {
    const open = this.servers.filter((server) => server.isOpen && !but.has(server));
    const sticky = mark === undefined ? undefined : open.find((server) => server.mark === mark);
    if (sticky !== undefined) return sticky;
    // By least connections a server of a small weight gets nothing as long as few are open.
    const chosen = this.#wanted.byShare ? this.#turns.next(open) : this.#turns.leastBusy(open);
    if (chosen !== undefined || but.size > 0) return chosen;
    return this.#waker;
  }

  /** Nothing that who holds requests does is counted as a replica's, or as an answer of the service. */
  isCounted(server: ProxyServer): boolean {
    return server !== this.#waker;
  }

  counted(): Counted[] {
    const countedOf = ({ requests, errors, open }: Tally) => ({ requests, errors, open, queued: 0 });
    return [
      { backend: this.name, ...countedOf(this.tally) },
      ...this.servers.map(({ name, tally }) => ({ backend: this.name, server: name, ...countedOf(tally) })),
    ];
  }

  /** What is under way ends by itself. */
  [Symbol.dispose](): void {
    for (const server of this.servers) server.isOpen = false;
    if (this.#waker !== undefined) this.#waker.isOpen = false;
  }

  #leaves(server: ProxyServer): true {
    this.close(server.name);
    if (server.open === 0) this.#servers.delete(server.name);
    return true;
  }

  #keepWaker(waker: Backend["waker"]): void {
    if (this.#waker?.host === waker?.host && this.#waker?.port === waker?.port) return;
    if (this.#waker !== undefined) this.#waker.isOpen = false;
    this.#waker =
      waker === undefined ? undefined : new ProxyServer(this.name, { name: "waker", weight: 1, ...waker });
  }
}
