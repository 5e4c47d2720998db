/** What a replica wrote: one file that it appends to, and older ones beside it. */
import { copyFile, mkdir, open, rename, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import { storeError } from "./store-error.ts";

export interface LogLimits {
  /** Of one file, before it is set aside. */
  readonly maxBytes: number;
  /** How many there are at most, the current one among them. */
  readonly files: number;
}

const DEFAULT_LOG_LIMITS: LogLimits = { maxBytes: 10 * 2 ** 20, files: 3 };

export class LogFiles {
  readonly #directory: string;
  readonly #limits: LogLimits;

  private constructor(directory: string, limits: LogLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** @throws FlyballError STORE_UNUSABLE, STORE_FULL */
  static async open(directory: string, limits: LogLimits = DEFAULT_LOG_LIMITS): Promise<LogFiles> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw storeError(error, directory);
    }
    return new LogFiles(directory, limits);
  }

  path(replica: ReplicaId): string {
    return join(this.#directory, `${replica}.log`);
  }

  /** Sets the file aside when it has grown too large. */
  async rotate(replica: ReplicaId): Promise<void> {
    const path = this.path(replica);
    if ((await sizeOf(path)) < this.#limits.maxBytes) return;
    for (let number = this.#limits.files - 2; number >= 1; number -= 1) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing);
    }
    // The replica holds this very file open and cannot be told of another, so it is copied and cut. What is written
    // between the two is lost.
    if (this.#limits.files > 1)
      await copyFile(path, `${path}.1`).catch((error: unknown) => dropIfFull(error, path));
    await truncate(path);
  }

  async remove(replica: ReplicaId): Promise<void> {
    const path = this.path(replica);
    await rm(path, { force: true });
    for (let number = 1; number < this.#limits.files; number += 1)
      await rm(`${path}.${number}`, { force: true });
  }

  /** The last lines, over as many files as it takes. */
  async tail(replica: ReplicaId, lines: number): Promise<string> {
    const path = this.path(replica);
    let text = "";
    for (let number = 0; number < this.#limits.files && countLines(text) <= lines; number += 1) {
      const file = number === 0 ? path : `${path}.${number}`;
      text = (await readTail(file, lines - countLines(text) + 1)) + text;
    }
    return lastLines(text, lines);
  }

  /** The end of what it wrote, at most so many bytes of the newest file that has any. */
  async end(replica: ReplicaId, bytes: number): Promise<string> {
    for (let number = 0; number < this.#limits.files; number += 1) {
      const path = this.path(replica);
      const text = await readEnd(number === 0 ? path : `${path}.${number}`, bytes);
      if (text !== "") return text;
    }
    return "";
  }
}

export function lastLines(text: string, lines: number): string {
  if (lines <= 0) return "";
  const all = text.split("\n");
  const ended = all.at(-1) === "" ? 1 : 0;
  return all.slice(-(lines + ended)).join("\n");
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

const CHUNK_BYTES = 64 * 2 ** 10;
const NEWLINE = 0x0a;

/** From the end backwards, until it has that many line ends. */
async function readTail(path: string, lines: number): Promise<string> {
  const file = await open(path, "r").catch(ignoreMissing);
  if (file === undefined) return "";
  try {
    const chunks: Buffer[] = [];
    let found = 0;
    for (let end = (await file.stat()).size; end > 0 && found <= lines; ) {
      const start = Math.max(0, end - CHUNK_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      const chunk = buffer.subarray(0, bytesRead);
      for (const byte of chunk) if (byte === NEWLINE) found += 1;
      chunks.unshift(chunk);
      end = start;
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    await file.close();
  }
}

async function readEnd(path: string, bytes: number): Promise<string> {
  const file = await open(path, "r").catch(ignoreMissing);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(ignoreMissing))?.size ?? 0;
}

/** On a full disk what was written so far is given up: it would take the space that everybody waits for. */
async function dropIfFull(error: unknown, path: string): Promise<void> {
  if (!isSystemError(error, "ENOSPC")) throw error;
  await rm(`${path}.1`, { force: true });
}

function ignoreMissing(error: unknown): undefined {
  if (!isSystemError(error, "ENOENT")) throw error;
}
