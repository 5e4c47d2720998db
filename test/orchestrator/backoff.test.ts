import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Attempts, FIRST_RETRY_MS, failedAgain, retryAtMs } from "../../orchestrator/backoff.ts";

const NOW_MS = 1_000_000;

function afterFailures(count: number, delayMs?: number): Attempts {
  let attempts: Attempts | undefined;
  for (let failure = 0; failure < count; failure += 1) {
    attempts = failedAgain(attempts, {
      nowMs: NOW_MS,
      reason: "it ended",
      ...(delayMs === undefined ? {} : { delayMs }),
    });
  }
  assert.ok(attempts !== undefined);
  return attempts;
}

const waitMs = (attempts: Attempts) => retryAtMs(attempts) - NOW_MS;

describe("waiting after failures", () => {
  test("doubles at each failure in a row, up to five minutes", () => {
    const waits = [1, 2, 3, 4, 8, 9, 10, 1_000].map((failures) => waitMs(afterFailures(failures)));
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 128_000, 256_000, 300_000, 300_000]);
  });

  test("begins with the delay that the service asks for", () => {
    assert.equal(waitMs(afterFailures(1, 5_000)), 5_000);
    assert.equal(waitMs(afterFailures(2, 5_000)), 10_000);
  });

  test("a failure of another kind keeps that delay, and counts on", () => {
    const ended = afterFailures(1, 5_000);
    const refused = failedAgain(ended, { nowMs: NOW_MS, reason: "refused" });
    assert.deepEqual(refused, { failures: 2, lastAtMs: NOW_MS, reason: "refused", delayMs: 5_000 });
  });

  test("a service that asks for no delay is never waited for", () => {
    assert.equal(waitMs(afterFailures(20, 0)), 0);
  });

  test("is counted from the last failure", () => {
    const first = failedAgain(undefined, { nowMs: 100, reason: "refused" });
    assert.equal(retryAtMs(first), 100 + FIRST_RETRY_MS);
    const second = failedAgain(first, { nowMs: 5_000, reason: "refused" });
    assert.equal(retryAtMs(second), 5_000 + 2 * FIRST_RETRY_MS);
  });
});
