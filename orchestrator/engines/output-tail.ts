/** The end of what a command writes, however much that is. */
export class OutputTail {
  readonly #mostBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  append(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Not at every chunk: joining costs, and twice as much is no harm.
    if (this.#bytes > 2 * this.#mostBytes) this.#cut();
  }

  get text(): string {
    this.#cut();
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  #cut(): void {
    const kept = Buffer.concat(this.#chunks).subarray(-this.#mostBytes);
    // A copy: a view would hold on to all of it.
    this.#chunks = [Buffer.from(kept)];
    this.#bytes = kept.length;
  }
}
