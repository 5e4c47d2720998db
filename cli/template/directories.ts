import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, isFlyballError } from "../../core/errors.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { EndpointDirectory } from "../../core/wire-endpoints.ts";
import type { Client } from "../client.ts";

/** A daemon may come back from these by itself. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "DAEMON_UNREACHABLE",
  "NOT_READY",
  "TOO_MANY_CLIENTS",
  "INTERNAL",
]);
const WAIT_MS = 10 * SECOND_MS;
const LEAST_BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 15 * SECOND_MS;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** The daemon cannot be asked, for the first time or for another reason than before. */
  readonly onTrouble: (error: Error) => void;
  /** It answers after a trouble. */
  readonly onAnswer: () => void;
}

/**
 * The endpoints of now, then those of each change, and the same once more from time to time; the newest alone where
 * several came meanwhile. Goes on through every trouble that may pass, and ends when the signal says so.
 * @throws FlyballError what does not pass by itself, as UNAUTHORIZED
 */
export async function* directories(
  client: Pick<Client, "endpoints">,
  { signal, onTrouble, onAnswer }: WatchOptions,
): AsyncGenerator<EndpointDirectory> {
  let after: number | undefined;
  let failures = 0;
  let trouble: string | undefined;
  while (!signal.aborted) {
    let directory: EndpointDirectory;
    try {
      // The first question, and the first after a trouble, is answered at once.
      const change = after === undefined ? {} : { change: { after, waitMs: failures > 0 ? 0 : WAIT_MS } };
      directory = await client.endpoints({ ...change, signal });
    } catch (error) {
      if (signal.aborted) return;
      if (!isFlyballError(error) || !PASSING.has(error.code)) throw error;
      if (trouble !== error.message) onTrouble(error);
      trouble = error.message;
      await pause(Math.min(LEAST_BACKOFF_MS * 2 ** failures, MOST_BACKOFF_MS), signal);
      failures = Math.min(failures + 1, 10);
      continue;
    }
    if (trouble !== undefined) onAnswer();
    trouble = undefined;
    failures = 0;
    after = directory.version;
    yield directory;
  }
}

/** Also over when the signal says so. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => undefined);
}
