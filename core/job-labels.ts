import { readCronEntry, readEntries } from "./cron-entry.ts";
import type { CronEntry, JobSpec, JobTrigger } from "./job.ts";
import { type LabelReader, label } from "./label-reader.ts";
import { type Reading, readCount, readDuration, readWord } from "./label-values.ts";
import { nearest } from "./nearest.ts";
import { DAY_MS, HOUR_MS, SECOND_MS } from "./units.ts";

const SCHEDULE_EXPECTED =
  'expected "minute hour day month weekday [time zone]", perhaps with a second before it';
const VENDOR_EXPECTED = 'expected "second minute hour day month weekday"';
/** Where the platform that `aliyun.*` comes from has its clock. */
const VENDOR_ZONE = "Asia/Shanghai";
const MOST_TASKS = 1_000;
const MOST_RETRIES = 100;
const CATCH_UPS = ["none", "last", "all"] as const;

/** Work with an end: when it is due, and what happens when it fails, hangs, or was due while nobody looked. */
export const JOB_LABELS = {
  jobSchedule: label("job.schedule", readJobSchedule, {
    meaning:
      "the service is a job that runs whenever the cron line matches, in the time zone named (else UTC); five fields, or six with the second first; several lines separated by `;`",
    defaultText: "none",
    example: "0 3 * * 1-5 Europe/Berlin",
  }),
  jobVendorSchedule: label("aliyun.schedule", readVendorSchedule, {
    meaning: "the same with six fields, the second first, in Beijing's time",
    defaultText: "none",
    example: "0 30 2 * * *",
  }),
  jobRun: label("job.run", readWord("once", "manual"), {
    meaning:
      "`once`: the service is a job that runs once for each definition that is brought up; `manual`: it runs when somebody asks",
    defaultText: "none",
    example: "once",
  }),
  jobAfter: label("job.after", readNames, {
    meaning:
      "the service is a job that runs when each of these jobs has succeeded anew; names separated by commas",
    defaultText: "none",
    example: "extract,transform",
  }),
  jobTasks: label("job.tasks", readAtMost(MOST_TASKS, 1), {
    meaning:
      "containers of each run, side by side; each has `JOB_TASK_INDEX` (from 0) and `JOB_TASK_COUNT`; else as many as `scale`, `deploy.replicas` or `aliyun.scale` say",
    defaultText: "1",
    example: "4",
  }),
  jobRetries: label("job.retries", readAtMost(MOST_RETRIES, 0), {
    meaning: "further attempts of a task that failed",
    defaultText: "0",
    example: "3",
    aliases: ["aliyun.retry_count"],
  }),
  jobRetryDelay: label("job.retry_delay", readDuration(0, HOUR_MS), {
    meaning: "before the first further attempt; doubled for each one after it, up to an hour",
    defaultText: "10s",
    example: "30s",
  }),
  jobTimeout: label("job.timeout", readDuration(SECOND_MS, 365 * DAY_MS), {
    meaning: "a run that takes longer, its retries among it, is stopped",
    defaultText: "none",
    example: "2h",
  }),
  jobConcurrency: label("job.concurrency", readWord("forbid", "allow", "replace"), {
    meaning:
      "when a run is due while another is under way: `forbid` leaves it out and says so, `allow` runs both, `replace` stops the other",
    defaultText: "forbid",
    example: "replace",
  }),
  jobCatchUp: label("job.catch_up", readCatchUp, {
    meaning:
      "which runs that were due while nobody looked still run, `none`, the `last` or `all`, and up to which age",
    defaultText: "last 24h",
    example: "all 6h",
  }),
  jobKeep: label("job.keep", readWord("none", "failed", "succeeded", "all"), {
    meaning: "which ended containers of the last runs stay; logs and exit statuses are kept in any case",
    defaultText: "failed",
    example: "none",
  }),
  jobVendorRemove: label("aliyun.remove_containers", readVendorRemove, {
    meaning:
      "the same from its other side: `remove-finished` keeps what failed, `remove-failed` what succeeded, `remove-all` nothing",
    defaultText: "remove-finished",
    example: "remove-all",
  }),
} as const;

const { jobSchedule: schedule, jobVendorSchedule: vendorSchedule, jobRun: run, jobAfter: after } = JOB_LABELS;
const TRIGGERS = [schedule, vendorSchedule, run, after] as const;
/** Without these a service is no job, and they are none of its troubles. */
const DETAILS = Object.values(JOB_LABELS).filter((spec) => !TRIGGERS.some((trigger) => trigger === spec));
const DEFAULTS = {
  tasks: 1,
  retries: 0,
  retryDelayMs: 10 * SECOND_MS,
  concurrency: "forbid",
  catchUp: "last",
  catchUpAgeMs: DAY_MS,
  keep: "failed",
} as const;

const KEYS: readonly string[] = Object.values(JOB_LABELS).flatMap(({ key, aliases }) => [key, ...aliases]);
const JOB_PREFIX = "job.";

/** The service is, or is meant to be, a job by that label. */
export function isJobLabel(key: string): boolean {
  return KEYS.includes(key) || (key.startsWith(JOB_PREFIX) && nearest(key, KEYS) !== undefined);
}

/** What else there is, that a job depends on. */
export interface JobGrounds {
  /** The whole project is a batch, so that a service that says nothing runs once. */
  readonly isBatch: boolean;
  /** Whether there is an error at a label of the job. */
  readonly hasErrors: () => boolean;
}

/**
 * Absent: the service is no job. With an error among its labels it is one that is refused, and never run by half of
 * what was asked, or as a service that is kept up.
 */
export function readJob(
  labels: Readonly<Record<string, string>>,
  reader: LabelReader,
  { isBatch, hasErrors }: JobGrounds,
): JobSpec | undefined {
  if (!isBatch && !Object.keys(labels).some(isJobLabel)) return undefined;
  const trigger = readTrigger(reader, isBatch);
  const timeoutMs = reader.get(JOB_LABELS.jobTimeout);
  const caughtUp = reader.get(JOB_LABELS.jobCatchUp);
  const job = {
    trigger,
    tasks: reader.get(JOB_LABELS.jobTasks) ?? DEFAULTS.tasks,
    retries: reader.get(JOB_LABELS.jobRetries) ?? DEFAULTS.retries,
    retryDelayMs: reader.get(JOB_LABELS.jobRetryDelay) ?? DEFAULTS.retryDelayMs,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    concurrency: reader.get(JOB_LABELS.jobConcurrency) ?? DEFAULTS.concurrency,
    catchUp: caughtUp?.which ?? DEFAULTS.catchUp,
    catchUpAgeMs: caughtUp?.ageMs ?? DEFAULTS.catchUpAgeMs,
    keep: readKeep(reader) ?? DEFAULTS.keep,
  };
  if (!hasErrors()) return job;
  return { ...job, trigger: { kind: "refused", reason: "its labels cannot be used" } };
}

function readTrigger(reader: LabelReader, isBatch: boolean): JobTrigger {
  const given = TRIGGERS.filter((spec) => reader.says(spec));
  const [first, second] = given;
  if (first !== undefined && second !== undefined) {
    reader.error(second.key, `excludes ${first.key}: a job is due by one of them`);
  }
  const lines = [...(reader.get(schedule) ?? []), ...(reader.get(vendorSchedule) ?? [])];
  const services = reader.get(after);
  const word = reader.get(run);
  if (lines.length > 0) return { kind: "schedule", lines };
  if (services !== undefined) return { kind: "after", services };
  if (word !== undefined || isBatch) return { kind: word ?? "once" };
  const [detail] = DETAILS.filter((spec) => reader.says(spec));
  if (detail !== undefined && first === undefined) {
    const wanted = [schedule, after, run].map(({ key }) => key).join(", ");
    reader.error(reader.written(detail), `needs one of ${wanted} beside it, to say when the job is due`);
  }
  return { kind: "manual" };
}

function readKeep(reader: LabelReader): JobSpec["keep"] | undefined {
  const [keep, removed] = [reader.get(JOB_LABELS.jobKeep), reader.get(JOB_LABELS.jobVendorRemove)];
  if (keep !== undefined && removed !== undefined && keep !== removed) {
    reader.error(JOB_LABELS.jobVendorRemove.key, `contradicts ${JOB_LABELS.jobKeep.key}: keep one`);
  }
  return keep ?? removed;
}

function readJobSchedule(text: string): Reading<readonly CronEntry[]> {
  return readEntries(text, SCHEDULE_EXPECTED, (part) =>
    readCronEntry(part, "five or six", SCHEDULE_EXPECTED),
  );
}

function readVendorSchedule(text: string): Reading<readonly CronEntry[]> {
  const reading = readCronEntry(text.trim(), "six", VENDOR_EXPECTED);
  if ("refusal" in reading) return reading;
  if (reading.value.timeZone !== undefined) return { refusal: `${VENDOR_EXPECTED} in Beijing's time` };
  return { value: [{ ...reading.value, timeZone: VENDOR_ZONE }] };
}

function readVendorRemove(text: string): Reading<JobSpec["keep"]> {
  const reading = readWord("remove-finished", "remove-failed", "remove-all")(text);
  if ("refusal" in reading) return reading;
  const kept = { "remove-finished": "failed", "remove-failed": "succeeded", "remove-all": "none" } as const;
  return { value: kept[reading.value] };
}

interface CatchUp {
  readonly which: JobSpec["catchUp"];
  readonly ageMs?: number;
}

function readCatchUp(text: string): Reading<CatchUp> {
  const [word = "", age, ...more] = text.trim().toLowerCase().split(/\s+/);
  const which = CATCH_UPS.find((known) => known === word);
  if (which === undefined || more.length > 0 || (which === "none" && age !== undefined)) {
    return { refusal: 'expected "none", "last" or "all", perhaps with an age, as "last 6h"' };
  }
  if (age === undefined) return { value: { which } };
  const ageMs = readDuration(SECOND_MS, 365 * DAY_MS)(age);
  return "refusal" in ageMs ? ageMs : { value: { which, ageMs: ageMs.value } };
}

function readAtMost(most: number, least: number): (text: string) => Reading<number> {
  const read = readCount(least);
  return (text) => {
    const reading = read(text);
    if ("refusal" in reading || reading.value <= most) return reading;
    return { refusal: `expected a whole number from ${least} to ${most}` };
  };
}

function readNames(text: string): Reading<readonly string[]> {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0) return { refusal: 'expected names of services, as "extract,transform"' };
  return { value: [...new Set(names)] };
}
