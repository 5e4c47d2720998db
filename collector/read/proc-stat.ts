/** What `/proc/PID/stat` says that a process tree is measured by. Times are in clock ticks. */
export interface ProcStat {
  readonly pid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  /** A zombie has ended and waits for its parent to ask; its times still count here. */
  readonly ended: boolean;
  readonly ownTicks: number;
  /** Of the children that ended and were waited for, theirs included. */
  readonly childrenTicks: number;
  /** When it started, since boot: with the pid, what makes it this process and no later one. */
  readonly startTicks: number;
}

/** Undefined when the text is not such a line. */
export function parseProcStat(text: string): ProcStat | undefined {
  // The name between the brackets may hold anything, brackets and newlines too.
  const nameStart = text.indexOf("(");
  const nameEnd = text.lastIndexOf(")");
  if (nameStart === -1 || nameEnd < nameStart) return undefined;
  const pid = Number(text.slice(0, nameStart));
  const fields = text.slice(nameEnd + 2).split(" ");
  const field = (number: number): number => Number(fields[number - 3] ?? Number.NaN);
  const state = fields[0];
  const stat: ProcStat = {
    pid,
    parentPid: field(4),
    processGroup: field(5),
    session: field(6),
    ended: state === "Z" || state === "X",
    ownTicks: field(14) + field(15),
    childrenTicks: field(16) + field(17),
    startTicks: field(22),
  };
  return Object.values(stat).every((value) => typeof value === "boolean" || Number.isFinite(value))
    ? stat
    : undefined;
}

/** `/proc/PID/statm`, in pages: `size resident shared …`. */
export function parseProcStatm(text: string): { residentPages: number; sharedPages: number } | undefined {
  const [, resident, shared] = text.split(" ").map(Number);
  if (resident === undefined || shared === undefined) return undefined;
  if (!Number.isFinite(resident) || !Number.isFinite(shared)) return undefined;
  return { residentPages: resident, sharedPages: shared };
}

/** The `btime` of a `/proc/stat`: when the machine started, in seconds since 1970. */
export function parseBootTime(text: string): number | undefined {
  const digits = /^btime (\d{1,15})$/mu.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
