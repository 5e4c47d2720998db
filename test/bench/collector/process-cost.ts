import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** CPU time of all threads of these processes so far, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
}

/** The CPU that these processes use while they are left alone: seconds of CPU per second. */
export async function cpuCoresOver(pids: readonly number[], windowMs: number): Promise<number> {
  const [startedAtMs, before] = [performance.now(), cpuSeconds(pids)];
  await sleep(windowMs);
  const [endedAtMs, after] = [performance.now(), cpuSeconds(pids)];
  return ((after - before) * 1_000) / (endedAtMs - startedAtMs);
}

export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes) * 1_024;
}

export function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
}

/** From the scheduler's own nanoseconds: the ticks of `stat` are too coarse for a second's worth of such work. */
function cpuSecondsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(nanoseconds) / 1e9;
  }, 0);
}
