import { once } from "node:events";
import { constants, createGzip } from "node:zlib";

const CHUNK_BYTES = 64 * 1024;

/** A text in pieces, each of which is given back once it is used. */
export interface Pieces {
  readonly pieces: () => Iterable<Buffer>;
  readonly give: (piece: Buffer) => void;
}

/** Compresses a page, in the thread pool, while it is written: one piece at a time, and the next meanwhile. */
export async function zipped({ pieces, give }: Pieces): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: CHUNK_BYTES });
  const parts: Buffer[] = [];
  gzip.on("data", (part: Buffer) => parts.push(part));
  const ended = once(gzip, "end");
  // Whoever writes is told of a failure, too; nobody may wait for the end by then.
  ended.catch(() => {});
  let compressed: Promise<void> = Promise.resolve();
  for (const piece of pieces()) {
    await compressed;
    compressed = new Promise((resolve, reject) => {
      gzip.write(piece, (error) => {
        give(piece);
        if (error) reject(error);
        else resolve();
      });
    });
  }
  await compressed;
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}
