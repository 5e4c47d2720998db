import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { CronEntry, JobSpec } from "../../core/job.ts";
import { Store } from "../../core/store.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { endEarly } from "../../orchestrator/jobs/advance.ts";
import { nextMatchMs } from "../../orchestrator/jobs/due.ts";
import { JobLedger } from "../../orchestrator/jobs/ledger.ts";
import { noteDue } from "../../orchestrator/jobs/note.ts";
import { isOver, type Run } from "../../orchestrator/jobs/run.ts";

const START_MS = Date.UTC(2026, 9, 24, 20);

const LINES: readonly CronEntry[] = [
  { cron: "* * * * *" },
  { cron: "*/7 * * * *", timeZone: "Europe/Berlin" },
  { cron: "*/10 * * * * *" },
  { cron: "0 * * * *" },
  { cron: "30 2 * * *", timeZone: "Europe/Berlin" },
  { cron: "15 1,2,3 * * *", timeZone: "Europe/Berlin" },
];

/** `wait` time passes and the daemon looks · `away` it passes and nobody looks · `jump` the wall clock is set. */
type Step =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "away"; readonly ms: number }
  | { readonly kind: "jump"; readonly byMs: number }
  | { readonly kind: "restart" }
  | { readonly kind: "finish" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.integer({ min: 1, max: 50 * SECOND_MS }).map((ms) => ({ kind: "wait" as const, ms })),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: MINUTE_MS, max: 26 * HOUR_MS }).map((ms) => ({ kind: "away" as const, ms })),
  },
  {
    weight: 2,
    arbitrary: fc
      .oneof(
        fc.constantFrom(HOUR_MS, -HOUR_MS),
        fc.integer({ min: -2 * HOUR_MS, max: 2 * HOUR_MS }),
        fc.integer({ min: -9 * HOUR_MS, max: 9 * HOUR_MS }),
      )
      .map((byMs) => ({ kind: "jump" as const, byMs })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: "finish" as const }) },
);

const job: fc.Arbitrary<JobSpec> = fc.record({
  trigger: fc.uniqueArray(fc.constantFrom(...LINES), { minLength: 1, maxLength: 2 }).map((lines) => ({
    kind: "schedule" as const,
    lines,
  })),
  tasks: fc.constant(1),
  retries: fc.constant(0),
  retryDelayMs: fc.constant(0),
  concurrency: fc.constantFrom("forbid", "allow", "replace"),
  catchUp: fc.constantFrom("none", "last", "all"),
  catchUpAgeMs: fc.constantFrom(HOUR_MS, DAY_MS),
  keep: fc.constant("none"),
});

/** One that is always among those that are tried: it runs, is missed, and the clock is set back to where it was. */
const EVERY_MINUTE: JobSpec = {
  trigger: { kind: "schedule", lines: [{ cron: "* * * * *" }] },
  tasks: 1,
  retries: 0,
  retryDelayMs: 0,
  concurrency: "allow",
  catchUp: "none",
  catchUpAgeMs: HOUR_MS,
  keep: "none",
};
const CLOCK_CORRECTED: Step[] = [
  ...Array.from({ length: 40 }, (): Step => ({ kind: "wait", ms: 40 * SECOND_MS })),
  { kind: "away", ms: HOUR_MS },
  { kind: "jump", byMs: 9 * HOUR_MS },
  { kind: "jump", byMs: -9 * HOUR_MS },
];

const service = "shop_backup";

describe("the ledger of runs", () => {
  let directory: string;
  let store: Store;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "flyball-jobs-"));
    store = new Store(directory);
  });
  after(() => {
    store[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });

  test("has every due instant once, as a run or as missed, through restarts and whatever the clock does", () => {
    let [runs, missed, corrections] = [0, 0, 0];
    fc.assert(
      fc.property(job, fc.array(step, { minLength: 5, maxLength: 60 }), (spec, steps) => {
        let ledger = new JobLedger(store);
        ledger.forgetOthers(new Set());
        let nowMs = START_MS;
        /** Began, by instant; of a run nothing is ever taken back. */
        const began = new Map<number, number>();
        const lines = spec.trigger.kind === "schedule" ? spec.trigger.lines : [];
        let highestMs = START_MS;
        let corrected = false;

        const look = () => {
          const noted = noteDue({
            service,
            project: "shop",
            job: spec,
            definition: "",
            memory: ledger.memory(service),
            active: ledger.active(service),
            ranAfter: (atMs) => ledger.ranAfter(service, atMs),
            lastSuccess: () => undefined,
            nowMs,
          });
          const { memory, replaced, forgetMissedAfterMs } = noted;
          for (const run of noted.runs) {
            if (isOver(run)) continue;
            began.set(run.dueAtMs, (began.get(run.dueAtMs) ?? 0) + 1);
          }
          if (forgetMissedAfterMs !== undefined) {
            corrected = true;
            corrections += 1;
          }
          ledger.write({
            project: "shop",
            memory: { service, memory },
            runs: [...replaced.map(({ run, reason }) => endEarly(run, "replaced", reason)), ...noted.runs],
            ...(forgetMissedAfterMs === undefined ? {} : { forgetMissedAfterMs }),
          });
        };

        look();
        for (const each of steps) {
          if (each.kind === "finish") {
            const ended = ledger.active(service).map(
              (run): Run => ({
                ...run,
                state: run.ending ?? "succeeded",
                endedAtMs: nowMs,
              }),
            );
            ledger.write({ project: "shop", runs: ended });
          } else if (each.kind === "restart") {
            ledger = new JobLedger(store);
          } else {
            nowMs += each.kind === "jump" ? each.byMs : each.ms;
          }
          look();
          highestMs = Math.max(highestMs, nowMs);
        }

        const all = ledger.runs(service, 100_000);
        const ids = new Set(all.map(({ id }) => id));
        assert.equal(ids.size, all.length, "an instant stands twice in the ledger");
        for (const [dueAtMs, times] of began)
          assert.equal(times, 1, `${new Date(dueAtMs).toJSON()} ran twice`);
        runs += began.size;
        missed += all.filter(({ state }) => state === "missed").length;
        // A ledger that is bounded has forgotten its oldest lines.
        if (corrected || all.length >= 500) return;
        const isTold = (atMs: number) =>
          all.some(({ dueAtMs, missedUntilMs = dueAtMs }) => dueAtMs <= atMs && atMs <= missedUntilMs);
        const accountedMs = ledger.memory(service)?.accountedMs ?? assert.fail();
        let checked = 0;
        for (
          let atMs = nextMatchMs(lines, START_MS);
          atMs !== undefined && atMs <= accountedMs && checked < 300;
          atMs = nextMatchMs(lines, atMs)
        ) {
          assert.ok(isTold(atMs), `${new Date(atMs).toJSON()} was due and nobody says what became of it`);
          checked += 1;
        }
        const next = nextMatchMs(lines, accountedMs);
        assert.ok(
          next === undefined || next > nowMs || nowMs < highestMs,
          "something is due and was not noted",
        );
      }),
      { numRuns: 60, examples: [[EVERY_MINUTE, CLOCK_CORRECTED]] },
    );
    assert.ok(runs >= 20 && missed >= 20 && corrections >= 1, JSON.stringify({ runs, missed, corrections }));
  });
});
