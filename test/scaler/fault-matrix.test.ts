import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Evaluation, Rule, ScalingPolicy } from "../../core/types.ts";
import { HOUR_MS } from "../../core/units.ts";
import { MAX_CPU_70, policyOf } from "./builders.ts";
import { FaultyService } from "./faulty-service.ts";

interface Fault {
  readonly lastsSeconds: number;
  /** Called before each of its seconds, from 0. */
  readonly inSecond: (service: FaultyService, second: number) => void;
  /** Called when it is over. */
  readonly after?: (service: FaultyService) => void;
  /** Something of every replica cannot be known: a change of load is seen only when it is over. */
  readonly blind: boolean;
  /** Evaluations after its end until each replica that serves is read again. */
  readonly recoversWithin: number;
  /** Seconds by which a scale-out may come later that can be seen during the fault; absent: as many. */
  readonly outLater?: number;
}

const heal = (service: FaultyService) => {
  service.silent = new Set();
  service.absurd = new Set();
};

const silent = (slots: FaultyService["silent"], lastsSeconds: number, recoversWithin: number): Fault => ({
  lastsSeconds,
  inSecond: (service) => {
    service.silent = slots;
  },
  after: heal,
  blind: slots === "all",
  recoversWithin,
});

const absurd = (slots: FaultyService["absurd"]): Fault => ({
  ...silent(new Set(), 30, 2),
  inSecond: (service) => {
    service.absurd = slots;
  },
  blind: slots === "all",
});

const jump = (byMs: number): Fault => ({
  lastsSeconds: 1,
  inSecond: (service) => {
    service.clockOffsetMs += byMs;
  },
  blind: false,
  recoversWithin: 2,
});

/** A counter that was not read for a while needs one reading to start from, and then two that tell a rate. */
const ANEW = 3;

const FAULTS: Readonly<Record<string, Fault>> = {
  "one replica is missing": silent(new Set([2]), 30, ANEW),
  // For five seconds what was read of them last still counts.
  "half of the replicas are missing": { ...silent(new Set([1, 3]), 30, ANEW), outLater: 5 },
  "all are missing": silent("all", 30, ANEW),
  "all are stale: nothing new for eight seconds": silent("all", 8, ANEW),
  "one reading of all was lost": silent("all", 1, 2),
  "the collector is gone for a minute": silent("all", 60, ANEW),
  "one replica gives what is not a number": absurd(new Set([2])),
  "all give what is not a number": absurd("all"),
  "a counter is reset": {
    ...silent(new Set(), 1, 2),
    inSecond: (service) => service.resetCounter(2),
  },
  "all counters are reset": {
    ...silent(new Set(), 1, 2),
    inSecond: (service) => {
      for (let slot = 1; slot <= 20; slot += 1) service.resetCounter(slot);
    },
  },
  "the clock jumps forward by a minute": jump(60_000),
  "the clock jumps forward by a day": jump(24 * HOUR_MS),
  "the clock jumps back by a minute": jump(-60_000),
  "the clock jumps back by a day": jump(-24 * HOUR_MS),
  "a rolling update: one after the other goes, and a new one comes that has to start": {
    lastsSeconds: 40,
    inSecond: (service, second) => {
      if (second % 10 === 0) service.replace(1 + second / 10);
    },
    blind: false,
    recoversWithin: 10,
  },
  "a rolling update of which the new replicas are silent at first": {
    lastsSeconds: 48,
    inSecond: (service, second) => {
      if (second % 12 === 0) service.replace(1 + second / 12);
      service.silent = second % 12 < 11 ? new Set([1 + Math.floor(second / 12)]) : new Set();
    },
    after: heal,
    blind: false,
    recoversWithin: ANEW,
    // The new one counts as help that is coming, until the whole window shows that it is not enough.
    outLater: 10,
  },
};

const ENFORCED: Rule = { ...MAX_CPU_70, enforced: true };
const { stabilizationMs: _, ...STEP } = policyOf({ rules: [ENFORCED], maxReplicas: 20 });
const POLICIES: Readonly<Record<string, ScalingPolicy>> = {
  step: STEP,
  target: { ...STEP, kind: "target", cooldownMs: 0 },
};
/** Seconds before the fault: too few to have learned anything, and enough. */
const EXPERIENCES: Readonly<Record<string, number>> = { unlearned: 60, learned: 15 * 60 };

/** Four replicas at 60 %, with which both policies are content. */
const CONTENT = { replicas: 4, demand: 2.4 };
const RISEN = 6;
const FALLEN = 0.4;
const AFTERWARDS_SECONDS = 10 * 60;

interface Look extends Evaluation {
  /** From the beginning of the fault. */
  readonly second: number;
  readonly demand: number;
}

/** What is decided from the beginning of the fault on, when the demand becomes another one. */
function play(policy: ScalingPolicy, experienceSeconds: number, demand: number, fault?: Fault): Look[] {
  const service = new FaultyService({ policy, ...CONTENT });
  for (let second = 0; second < experienceSeconds; second += 1) service.step();
  service.demand = demand;
  const lastsSeconds = fault?.lastsSeconds ?? 0;
  return Array.from({ length: lastsSeconds + AFTERWARDS_SECONDS }, (_, second) => {
    if (second < lastsSeconds) fault?.inSecond(service, second);
    if (second === lastsSeconds) fault?.after?.(service);
    return { ...service.step(), second, demand };
  });
}

const isBlind = ({ verdicts }: Evaluation) => verdicts.some(({ wants }) => wants === "unknown");
const changesOf = (looks: readonly Look[]) => looks.filter(({ from, to }) => to !== from);
const told = (looks: readonly Look[]) => looks.map(({ second, from, to }) => `${second} s: ${from} → ${to}`);

/** Scale-ins to fewer than the load takes, and those that nothing was known for. */
function wrongScaleIns(looks: readonly Look[]): Look[] {
  return looks.filter((look) => {
    if (look.to >= look.from) return false;
    return look.demand / look.to > ENFORCED.max * 1.1 || isBlind(look);
  });
}

for (const [kind, policy] of Object.entries(POLICIES)) {
  for (const [experience, experienceSeconds] of Object.entries(EXPERIENCES)) {
    describe(`by ${kind}, ${experience}`, () => {
      const healthy = {
        risen: play(policy, experienceSeconds, RISEN),
        fallen: play(policy, experienceSeconds, FALLEN),
      };
      const outIn = changesOf(healthy.risen)[0]?.second ?? Number.NaN;

      for (const [name, fault] of Object.entries(FAULTS)) {
        test(name, () => {
          const { lastsSeconds, recoversWithin, blind, outLater = recoversWithin } = fault;
          const steady = play(policy, experienceSeconds, CONTENT.demand, fault);
          assert.deepEqual(told(changesOf(steady)), [], "a steady load is no reason to change anything");

          const risen = play(policy, experienceSeconds, RISEN, fault);
          assert.deepEqual(told(wrongScaleIns(risen)), [], "under a load that rose");
          const firstOut = changesOf(risen)[0]?.second ?? Number.NaN;
          const latest = (blind ? lastsSeconds + recoversWithin : outLater) + outIn;
          assert.ok(firstOut <= latest, `out after ${firstOut} s, without the fault after ${outIn} s`);

          const fallen = play(policy, experienceSeconds, FALLEN, fault);
          assert.deepEqual(told(wrongScaleIns(fallen)), [], "under a load that fell");
          assert.equal(
            fallen.at(-1)?.to,
            healthy.fallen.at(-1)?.to,
            "what is left of a service that went idle",
          );

          for (const looks of [steady, risen, fallen]) {
            const levels = looks.flatMap(({ verdicts }) => verdicts.map(({ level = 0 }) => level));
            assert.ok(Math.min(...levels) >= 0 && Math.max(...levels) <= 1.001, "a level that cannot be");
            const later = looks.find(({ second }) => second === lastsSeconds + recoversWithin - 1);
            const [verdict] = later?.verdicts ?? [];
            assert.ok(verdict !== undefined && verdict.replicasRead > 0, "is read again");
            assert.equal(verdict.replicasRead, verdict.replicasServing, "each of them is read again");
          }
        });
      }

      test("replicas that burn CPU to get ready are no load, and are not ordered twice", () => {
        const most = (startupSeconds: number) => {
          const service = new FaultyService({ policy, ...CONTENT, startupSeconds });
          for (let second = 0; second < experienceSeconds; second += 1) service.step();
          service.demand = 3.2;
          const looks = Array.from({ length: 300 }, () => service.step());
          return Math.max(...looks.map(({ to }) => to));
        };
        assert.equal(most(40), most(1));
        assert.equal(most(120), most(1));
      });

      for (const slot of [1, 4]) {
        test(`replica ${slot} is silent for an hour: the service follows its load in both directions`, () => {
          const service = new FaultyService({ policy, ...CONTENT });
          for (let second = 0; second < experienceSeconds; second += 1) service.step();
          service.silent = new Set([slot]);
          const looks: Look[] = [];
          const runFor = (minutes: number, demand: number) => {
            service.demand = demand;
            for (let second = 0; second < minutes * 60; second += 1) {
              looks.push({ ...service.step(), second: looks.length, demand });
            }
            return service.desired;
          };
          assert.equal(runFor(5, 2.4), 4);
          const out = runFor(15, 6);
          assert.ok(6 / out <= 0.7 * 1.1, `${out} replicas for a load of 6`);
          const fallen = runFor(25, 1.3);
          assert.ok(fallen <= 3, `${fallen} replicas for a load of 1.3`);
          const again = runFor(15, 4);
          assert.ok(4 / again <= 0.7 * 1.1, `${again} replicas for a load of 4`);
          assert.deepEqual(told(wrongScaleIns(looks)), []);
        });
      }
    });
  }
}
