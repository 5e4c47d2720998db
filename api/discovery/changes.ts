import { isFlyballError } from "../../core/errors.ts";
import { HOUR_MS } from "../../core/units.ts";
import type { ServerEvent } from "../event-stream.ts";

const LOOK_AGAIN_MS = HOUR_MS;

/** Something that has a version, and calls when it has another one. */
export interface Versioned<T extends { readonly version: number }> {
  /** @throws FlyballError NOT_FOUND when it is no more */
  read(): T;
  onChange(listener: () => void): Disposable;
}

/**
 * What is there now when its version is another than `after`; else what is there once it is, or when the time is over
 * or the signal says so. Versions are compared for equality: one from before a restart is as old as any.
 */
export async function otherThan<T extends { readonly version: number }>(
  source: Versioned<T>,
  after: number | undefined,
  waitMs: number,
  signal: AbortSignal,
): Promise<T> {
  const now = source.read();
  if (now.version !== after || signal.aborted) return now;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const answer = () => {
    try {
      resolve(source.read());
    } catch (error) {
      reject(error);
    }
  };
  using _watch = source.onChange(() => {
    try {
      const next = source.read();
      if (next.version !== after) resolve(next);
    } catch (error) {
      if (!isNotReady(error)) reject(error);
    }
  });
  const timer = setTimeout(answer, waitMs);
  signal.addEventListener("abort", answer, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", answer);
  }
}

/** One event for each other version, the newest alone where several came while the client was busy. */
export async function* changes<T extends { readonly version: number }>(
  source: Versioned<T>,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let sent = after;
  try {
    while (!signal.aborted) {
      const next = await otherThan(source, sent, LOOK_AGAIN_MS, signal);
      if (signal.aborted || next.version === sent) continue;
      sent = next.version;
      yield { event: "endpoints", id: String(next.version), data: next };
    }
  } catch (error) {
    if (!isFlyballError(error) || error.code !== "NOT_FOUND") throw error;
    yield { event: "gone", data: { detail: error.message } };
  }
}

function isNotReady(error: unknown): boolean {
  return isFlyballError(error) && error.code === "NOT_READY";
}
