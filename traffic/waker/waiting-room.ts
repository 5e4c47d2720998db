/** Where somebody is served. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Holds those who came while nobody served, until somebody does. */
export class WaitingRoom {
  readonly #most: number;
  readonly #onCome: () => void;
  readonly #waiting = new Set<(place: Place | undefined) => void>();
  #places: readonly Place[] = [];
  #turn = 0;

  /** @param most who wait at once; @param onCome somebody waits who is the first to */
  constructor(most: number, onCome: () => void) {
    this.#most = most;
    this.#onCome = onCome;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Those who wait go to them in turn, and so does who comes from now on. */
  open(places: readonly Place[]): void {
    this.#places = places;
    if (places.length === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const go of waiting) go(this.#next());
  }

  /** @returns undefined when the patience is over, who waited has left, or too many wait already */
  enter(patienceMs: number, left: AbortSignal): Promise<Place | undefined> {
    if (this.#places.length > 0) return Promise.resolve(this.#next());
    if (this.#waiting.size >= this.#most || left.aborted) return Promise.resolve(undefined);
    const isFirst = this.#waiting.size === 0;
    const { promise, resolve } = Promise.withResolvers<Place | undefined>();
    const go = (place: Place | undefined) => {
      clearTimeout(timer);
      left.removeEventListener("abort", give);
      this.#waiting.delete(go);
      resolve(place);
    };
    const give = () => go(undefined);
    const timer = setTimeout(give, patienceMs);
    left.addEventListener("abort", give, { once: true });
    this.#waiting.add(go);
    if (isFirst) this.#onCome();
    return promise;
  }

  close(): void {
    for (const go of [...this.#waiting]) go(undefined);
  }

  #next(): Place | undefined {
    this.#turn += 1;
    return this.#places[this.#turn % this.#places.length];
  }
}
