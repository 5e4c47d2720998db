import { once } from "node:events";
import { constants, createGzip } from "node:zlib";
import type { Room } from "./page-text.ts";

/** Small enough to be written in a moment, large enough that handing it to another thread is no cost. */
export const PIECE_BYTES = 512 * 1024;

/**
 * Compresses pieces as they are written. Two buffers take turns: while one is compressed, in the thread pool, the next
 * piece is written to the other, and the whole is never in memory.
 */
export async function zipped(pieces: (room: Room) => Iterable<Buffer>): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PIECE_BYTES / 8 });
  const parts: Buffer[] = [];
  gzip.on("data", (part: Buffer) => parts.push(part));
  const ended = once(gzip, "end");
  const buffers = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)];
  let turn = 0;
  let compressed: Promise<void> = Promise.resolve();
  const room: Room = (bytes) => {
    turn = 1 - turn;
    const buffer = buffers[turn];
    return buffer !== undefined && buffer.length >= bytes ? buffer : Buffer.allocUnsafeSlow(bytes);
  };
  for (const piece of pieces(room)) {
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
