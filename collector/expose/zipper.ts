import { once } from "node:events";
import { constants, createGzip } from "node:zlib";
import type { Room } from "./page-text.ts";

/** Small enough to be written in a moment, large enough that handing it to another thread is no cost. */
export const PIECE_BYTES = 512 * 1024;

/**
 * Compresses pieces as they are written. Two buffers take turns: while one is compressed, in the thread pool, the next
 * piece is written to the other, and the whole is never in memory. They are kept: what lies outside of the heap and is
 * let go at each page makes the collection of garbage dearer than the page.
 */
export class Zipper {
  readonly #buffers = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)];
  #turn = 0;

  /** One at a time. */
  async zip(pieces: (room: Room) => Iterable<Buffer>): Promise<Buffer> {
    const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PIECE_BYTES / 8 });
    const parts: Buffer[] = [];
    gzip.on("data", (part: Buffer) => parts.push(part));
    const ended = once(gzip, "end");
    let compressed: Promise<void> = Promise.resolve();
    for (const piece of pieces((bytes) => this.#room(bytes))) {
      await compressed;
      compressed = new Promise((resolve, reject) => {
        gzip.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    }
    await compressed;
    gzip.end();
    await ended;
    return Buffer.concat(parts);
  }

  #room(bytes: number): Buffer {
    this.#turn = 1 - this.#turn;
    const buffer = this.#buffers[this.#turn];
    return buffer !== undefined && buffer.length >= bytes ? buffer : Buffer.allocUnsafeSlow(bytes);
  }
}
