/**
 * What could not be sent yet, oldest first and bounded: when the other side does not keep up, the oldest is given
 * up and counted, because the newest is what a decision needs.
 */
export class Outbox<Item> {
  readonly #capacity: number;
  readonly #send: (item: Item, dropped: number) => boolean;
  readonly #waiting: Item[] = [];
  #dropped = 0;

  /** `send` says whether it took the item; it is also told how many were dropped so far. */
  constructor(capacity: number, send: (item: Item, dropped: number) => boolean) {
    this.#capacity = capacity;
    this.#send = send;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  put(item: Item): void {
    this.#waiting.push(item);
    this.flush();
    if (this.#waiting.length <= this.#capacity) return;
    this.#waiting.shift();
    this.#dropped += 1;
  }

  /** Sends what it can, in order. */
  flush(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || !this.#send(next, this.#dropped)) return;
      this.#waiting.shift();
    }
  }
}
