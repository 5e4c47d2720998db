import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  accountCpu,
  type CpuAccount,
  EMPTY_CPU_ACCOUNT,
  type ProcessTimes,
} from "../../collector/read/process-cpu.ts";

type Step =
  | { readonly kind: "work"; readonly who: number; readonly ticks: number }
  | { readonly kind: "fork"; readonly who: number }
  | { readonly kind: "end"; readonly who: number; readonly waited: boolean }
  | { readonly kind: "look" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("work" as const), who: fc.nat(99), ticks: fc.nat(200) }),
  fc.record({ kind: fc.constant("fork" as const), who: fc.nat(99) }),
  fc.record({ kind: fc.constant("end" as const), who: fc.nat(99), waited: fc.boolean() }),
  fc.constant({ kind: "look" as const }),
);

/** Plays processes that work, fork and end; pid 1 outside of the tree adopts orphans, 2 is the leader and stays. */
function play(steps: readonly Step[], look: (living: ProcessTimes[], usedTicks: number) => void): void {
  type Living = { pid: number; parentPid: number; ownTicks: number; childrenTicks: number };
  const living: Living[] = [{ pid: 2, parentPid: 1, ownTicks: 0, childrenTicks: 0 }];
  let usedTicks = 0;
  let lastPid = 2;
  for (const action of [...steps, { kind: "look" as const }]) {
    if (action.kind === "look") {
      look(
        living.map((process) => ({ ...process })),
        usedTicks,
      );
      continue;
    }
    const process = living[action.who % living.length];
    if (process === undefined) continue;
    if (action.kind === "work") {
      process.ownTicks += action.ticks;
      usedTicks += action.ticks;
    } else if (action.kind === "fork") {
      lastPid += 1;
      living.push({ pid: lastPid, parentPid: process.pid, ownTicks: 0, childrenTicks: 0 });
    } else if (process.pid !== 2) {
      living.splice(living.indexOf(process), 1);
      for (const child of living) if (child.parentPid === process.pid) child.parentPid = 1;
      const parent = living.find((candidate) => candidate.pid === process.parentPid);
      if (action.waited && parent) parent.childrenTicks += process.ownTicks + process.childrenTicks;
    }
  }
}

function allWaitedByParents(steps: readonly Step[]): Step[] {
  return steps.filter((action) => action.kind !== "end" || action.waited);
}

describe("the CPU counter of any process tree", () => {
  test("never falls, and never says more than was used", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let account: CpuAccount = EMPTY_CPU_ACCOUNT;
        play(steps, (living, usedTicks) => {
          const next = accountCpu(account, living);
          assert.ok(next.totalTicks >= account.totalTicks);
          assert.ok(next.totalTicks <= usedTicks);
          account = next;
        });
      }),
    );
  });

  test("is exact while only leaves end and are waited for", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        // Every process is a child of the leader: none is orphaned.
        const flat = allWaitedByParents(steps).map((action) =>
          action.kind === "fork" ? { ...action, who: 0 } : action,
        );
        let account: CpuAccount = EMPTY_CPU_ACCOUNT;
        play(flat, (living, usedTicks) => {
          account = accountCpu(account, living);
          assert.equal(account.totalTicks, usedTicks);
        });
      }),
    );
  });
});
