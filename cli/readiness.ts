import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isFlyballError } from "../core/errors.ts";
import type { Readiness } from "../core/wire.ts";
import type { Client } from "./client.ts";

export interface ReadinessOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** The daemon may not listen yet. */
  readonly starting?: boolean;
}

const POLL_MS = 100;

/** Resolves when the daemon is ready. @throws FlyballError NOT_READY that says what it still waits for */
export async function waitUntilReady(client: Client, options: ReadinessOptions): Promise<void> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const readiness = await ask(client, options.starting ?? false);
    if (readiness?.ready) return;
    if (performance.now() > deadlineMs) throw notReady(client, readiness, options.timeoutMs);
    await sleep(POLL_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}

async function ask(client: Client, starting: boolean): Promise<Readiness | undefined> {
  try {
    return await client.readiness();
  } catch (error) {
    if (starting && isFlyballError(error) && error.code === "DAEMON_UNREACHABLE") return undefined;
    throw error;
  }
}

function notReady(client: Client, readiness: Readiness | undefined, timeoutMs: number): FlyballError {
  const state =
    readiness === undefined
      ? "it does not answer"
      : `engine ${readiness.engine}, collector ${readiness.collector}`;
  return new FlyballError(
    "NOT_READY",
    `the daemon at ${client.address} is not ready after ${timeoutMs / 1_000} s: ${state}`,
  );
}
