interface Weighted {
  /** 1 to 100. */
  readonly weight: number;
  /** Requests and connections that it has now. */
  readonly open: number;
}

/**
 * Whose turn it is. Each turn costs its server time, the less the more it weighs, and the one whose time is earliest is
 * next: of so many turns each has its share, evenly spread. Who was away for a while has saved up nothing.
 */
export class Turns<Server extends Weighted & object> {
  readonly #freeAt = new WeakMap<Server, number>();
  #now = 0;

  /** In turn, whatever they have to do. */
  next(servers: readonly Server[]): Server | undefined {
    let chosen: Server | undefined;
    let startsAt = Number.POSITIVE_INFINITY;
    for (const server of servers) {
      const mayStartAt = Math.max(this.#now, this.#freeAt.get(server) ?? 0);
      if (mayStartAt < startsAt) [chosen, startsAt] = [server, mayStartAt];
    }
    if (chosen === undefined) return undefined;
    this.#now = startsAt;
    this.#freeAt.set(chosen, startsAt + 1 / chosen.weight);
    return chosen;
  }

  /** The one that has least to do for its weight, and in turn where several have as little. */
  leastBusy(servers: readonly Server[]): Server | undefined {
    const least = Math.min(...servers.map(load));
    return this.next(servers.filter((server) => load(server) === least));
  }
}

function load({ open, weight }: Weighted): number {
  return open === 0 ? 0 : (open + 1) / weight;
}
