/** What one kind of disturbance came to on one engine. */
export class Tally {
  readonly disturbance: string;
  readonly engine: string;
  readonly #recoveriesMs: number[] = [];
  #worst: { readonly tookMs: number; readonly what: string } | undefined;
  readonly #counts = new Map<string, number>();

  readonly #say: (line: string) => void;

  /** @param say is told of every point */
  constructor(disturbance: string, engine: string, say: (line: string) => void = () => undefined) {
    this.disturbance = disturbance;
    this.engine = engine;
    this.#say = say;
  }

  get points(): number {
    return this.#recoveriesMs.length;
  }

  /** @param tookMs from the end of the disturbance until all was right */
  recovered(tookMs: number, what: string): void {
    if (tookMs > (this.#worst?.tookMs ?? 0)) this.#worst = { tookMs, what };
    this.#recoveriesMs.push(tookMs);
    this.#say(`  ${this.engine}, ${what}: right after ${seconds(tookMs)}`);
  }

  count(what: string, by = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
  }

  line(leaks: number): string {
    const sorted = this.#recoveriesMs.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)];
    const more = [...this.#counts].map(([what, count]) => `${count} ${what}`).join(", ");
    const recovery =
      median === undefined
        ? ""
        : `; back after ${seconds(median)} (median), ${seconds(this.#worst?.tookMs ?? 0)} (worst: ${this.#worst?.what})`;
    return `${this.disturbance.padEnd(7)} ${this.engine.padEnd(8)} ${this.points} points${more && ` (${more})`}${recovery}; ${leaks} leaks`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
