import type { CronEntry, JobSpec, RunId } from "../../core/job.ts";
import type { ServiceId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import { admit } from "./admit.ts";
import { dueNow } from "./due.ts";
import { missedRun, type NewRun, newRun, type Run } from "./run.ts";

/** What is remembered of a job, so that nothing of it is due twice. Plain data: it is in the store. */
export interface JobMemory {
  /** Every match of `lines` up to this instant is accounted for. */
  readonly accountedMs: number;
  /** Those that were looked at last; what was due by them before they were changed is due all the same. */
  readonly lines: readonly CronEntry[];
  /** For `once`: the definition that has had its run. */
  readonly definition?: string;
  /** For `after`: the successes that have led to a run, by the name of the service. */
  readonly consumed: Readonly<Record<string, RunId>>;
}

export interface NoteInput {
  readonly service: ServiceId;
  readonly project: string;
  readonly job: JobSpec;
  /** What `once` runs once for. */
  readonly definition: string;
  /** Absent: the job is new. */
  readonly memory: JobMemory | undefined;
  /** Its runs that are not over, oldest first. */
  readonly active: readonly Run[];
  /** Instants after the one given at which it was due, and which did run. */
  readonly ranAfter: (atMs: number) => ReadonlySet<number>;
  /** The last run of another job of the project that succeeded. */
  readonly lastSuccess: (name: string) => RunId | undefined;
  readonly nowMs: number;
}

export interface Noted {
  readonly memory: JobMemory;
  /** Pending ones, and missed ones. To be written down with the memory, all or nothing. */
  readonly runs: readonly Run[];
  /** Under way, and to be ended for one of those. */
  readonly replaced: readonly { readonly run: Run; readonly reason: string }[];
  /** The clock was put right: missed runs after this instant have not been due yet, and are to be forgotten. */
  readonly forgetMissedAfterMs?: number;
}

/** What of a job has come due since it was looked at last. */
export function noteDue(input: NoteInput): Noted {
  const { job, nowMs, memory } = input;
  const lines = job.trigger.kind === "schedule" ? job.trigger.lines : [];
  if (memory === undefined) return noteOther({ ...newMemory(input), lines }, input);
  const scheduled = noteScheduled(memory, input);
  if (JSON.stringify(memory.lines) === JSON.stringify(lines)) {
    return lines.length > 0 ? scheduled : noteOther(memory, input);
  }
  // By the new lines nothing was due before they were there.
  return { ...scheduled, memory: { ...scheduled.memory, lines, accountedMs: nowMs } };
}

function newMemory({ job, lastSuccess, nowMs }: NoteInput): JobMemory {
  // What had succeeded before the job was there is no reason for it to run.
  const names = job.trigger.kind === "after" ? job.trigger.services : [];
  return { accountedMs: nowMs, lines: [], consumed: successesOf(names, lastSuccess) };
}

function noteScheduled(memory: JobMemory, input: NoteInput): Noted {
  if (memory.lines.length === 0) return nothing(memory);
  const { job, active, nowMs, ranAfter } = input;
  const answer = dueNow({
    lines: memory.lines,
    accountedMs: memory.accountedMs,
    known: ranAfter(memory.accountedMs),
    catchUp: job.catchUp,
    catchUpAgeMs: job.catchUpAgeMs,
    nowMs,
  });
  const { admitted, missed, replaced } = admit(answer.due, active, job.concurrency);
  const about = (dueAtMs: number): NewRun => ({ ...input, dueAtMs, trigger: "schedule" });
  return {
    memory:
      answer.accountedMs === memory.accountedMs ? memory : { ...memory, accountedMs: answer.accountedMs },
    runs: [
      ...[...answer.missed, ...missed].map((one) => missedRun(about(one.dueAtMs), one, nowMs)),
      ...admitted.map(({ dueAtMs }) => newRun(about(dueAtMs))),
    ],
    replaced,
    ...(answer.corrected ? { forgetMissedAfterMs: nowMs } : {}),
  };
}

/** What is due by what has happened, and not by the clock. It stays due until it may run. */
function noteOther(memory: JobMemory, input: NoteInput): Noted {
  const after = memoryAfter(memory, input);
  if (after === undefined) return nothing(memory);
  const { active, job, nowMs } = input;
  const { admitted, replaced } = admit([{ dueAtMs: instantFor(nowMs) }], active, job.concurrency);
  if (admitted.length === 0) return nothing(memory);
  const trigger = job.trigger.kind === "once" ? "once" : "after";
  const runs = admitted.map(({ dueAtMs }) => newRun({ ...input, dueAtMs, trigger }));
  return { memory: after, runs, replaced };
}

/** Absent: there is no reason to run. */
function memoryAfter(memory: JobMemory, { job, definition, lastSuccess }: NoteInput): JobMemory | undefined {
  const { trigger } = job;
  if (trigger.kind === "once") {
    return memory.definition === definition ? undefined : { ...memory, definition };
  }
  if (trigger.kind !== "after") return undefined;
  const successes = successesOf(trigger.services, lastSuccess);
  const isDue = trigger.services.every((name) => {
    return successes[name] !== undefined && successes[name] !== memory.consumed[name];
  });
  return isDue ? { ...memory, consumed: successes } : undefined;
}

function successesOf(names: readonly string[], lastSuccess: NoteInput["lastSuccess"]): Record<string, RunId> {
  return Object.fromEntries(
    names.flatMap((name): [string, RunId][] => {
      const run = lastSuccess(name);
      return run === undefined ? [] : [[name, run]];
    }),
  );
}

/** Of a run that no clock has asked for: never the instant of one that a cron line means. */
export function instantFor(nowMs: number): number {
  return nowMs % SECOND_MS === 0 ? nowMs + 1 : nowMs;
}

function nothing(memory: JobMemory): Noted {
  return { memory, runs: [], replaced: [] };
}
