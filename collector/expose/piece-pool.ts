/** Small enough to be written in a moment, large enough that handing it on is no cost. */
const PIECE_BYTES = 256 * 1024;
/** More than a scraper that keeps up ever leaves in use; what slow ones hold is let go afterwards. */
const MAX_FREE = 16;

/**
 * The buffers that pages are written to. They are used again: what lies outside of the heap and is let go at each page
 * makes the collection of garbage dearer than the page, and stays in memory until then.
 */
export class PiecePool {
  readonly #free: Buffer[] = [];

  /** With room for so many bytes at least. */
  take(bytes: number): Buffer {
    if (bytes > PIECE_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  }

  /** Nobody reads it any more, nor any part of it. */
  give(piece: Buffer): void {
    const { buffer } = piece;
    if (buffer.byteLength === PIECE_BYTES && this.#free.length < MAX_FREE) {
      this.#free.push(Buffer.from(buffer));
    }
  }
}
