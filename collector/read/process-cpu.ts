/** The CPU times of one live process, in clock ticks. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parentPid: number;
  readonly ownTicks: number;
  /** Of children that ended and were waited for. */
  readonly childrenTicks: number;
}

/** The CPU time of a group of processes as one counter that never falls, and what it takes to go on counting. */
export interface CpuAccount {
  readonly totalTicks: number;
  readonly processes: ReadonlyMap<number, ProcessTimes>;
  /** By parent: time already counted for children that ended, which will show up again in the parent's times. */
  readonly owed: ReadonlyMap<number, number>;
}

export const EMPTY_CPU_ACCOUNT: CpuAccount = { totalTicks: 0, processes: new Map(), owed: new Map() };

/**
 * The account after a new look at the group. A child that ends moves its time into its parent's, when the parent
 * waits for it, or takes its time along, when not: the plain sum over the living would fall in the one case and, at
 * an unlucky moment of reading, jump in the other. Here each tick counts once: what a parent gains from a child that
 * was counted before is set off against it, at this look or, when the parent was read just before, at the next.
 */
export function accountCpu(before: CpuAccount, now: readonly ProcessTimes[]): CpuAccount {
  const processes = new Map(now.map((times) => [times.pid, times]));
  const ended = endedTicksByParent(before.processes, processes);
  const owed = new Map<number, number>();
  let totalTicks = before.totalTicks;
  for (const times of now) {
    const earlier = before.processes.get(times.pid);
    totalTicks += Math.max(0, times.ownTicks - (earlier?.ownTicks ?? 0));
    const gained = Math.max(0, times.childrenTicks - (earlier?.childrenTicks ?? 0));
    const owedBefore = before.owed.get(times.pid) ?? 0;
    const owedNow = ended.get(times.pid) ?? 0;
    totalTicks += Math.max(0, gained - owedBefore - owedNow);
    // Owed for one look only: a parent that never waits would set it off against other children's time.
    const left = Math.min(owedNow, Math.max(0, owedBefore + owedNow - gained));
    if (left > 0) owed.set(times.pid, left);
  }
  return { totalTicks, processes, owed };
}

/** The last known times of the processes that ended, at the nearest ancestor that lives. */
function endedTicksByParent(
  before: ReadonlyMap<number, ProcessTimes>,
  now: ReadonlyMap<number, ProcessTimes>,
): Map<number, number> {
  const ended = new Map<number, number>();
  for (const times of before.values()) {
    if (now.has(times.pid)) continue;
    let ancestor: number | undefined = times.parentPid;
    for (let steps = 0; steps < before.size && ancestor !== undefined && !now.has(ancestor); steps += 1) {
      ancestor = before.get(ancestor)?.parentPid;
    }
    if (ancestor === undefined || !now.has(ancestor)) continue;
    ended.set(ancestor, (ended.get(ancestor) ?? 0) + times.ownTicks + times.childrenTicks);
  }
  return ended;
}
