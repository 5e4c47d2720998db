import { readFile, stat } from "node:fs/promises";
import { FlyballError, isSystemError, messageOf } from "../../core/errors.ts";

/** The most that a compose file, or a file it names, may have. */
const MAX_FILE_BYTES = 5 * 1024 * 1024;

/** The text of a file; throws a FlyballError that says why it cannot be had. `shown` is its name in messages. */
export async function readTextFile(path: string, shown: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory())
      throw new FlyballError("COMPOSE_INVALID", `expected a file, got a directory: ${shown}`);
    if (found.size > MAX_FILE_BYTES) throw tooLarge(shown, found.size);
    return decode(await readFile(path), shown);
  } catch (error) {
    if (error instanceof FlyballError) throw error;
    if (isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR")) {
      throw new FlyballError("COMPOSE_NOT_FOUND", `expected a file, got nothing: ${shown}`, { cause: error });
    }
    throw new FlyballError("COMPOSE_INVALID", `cannot read ${shown}: ${messageOf(error)}`, { cause: error });
  }
}

/** The text of a stream, as of standard input; throws a FlyballError when it is too much or not text. */
export async function readTextStream(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > MAX_FILE_BYTES) throw tooLarge("standard input", bytes);
    chunks.push(buffer);
  }
  return decode(Buffer.concat(chunks), "standard input");
}

function decode(bytes: Buffer, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new FlyballError("COMPOSE_INVALID", `expected UTF-8 text, got other bytes: ${shown}`, {
      cause: error,
    });
  }
}

function tooLarge(shown: string, bytes: number): FlyballError {
  return new FlyballError(
    "COMPOSE_TOO_LARGE",
    `expected a file of at most ${MAX_FILE_BYTES} bytes, got ${bytes} or more: ${shown}`,
  );
}
