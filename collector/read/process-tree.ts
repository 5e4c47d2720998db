import { join } from "node:path/posix";
import { type FileBytes, GoneError, KeptFile } from "./kept-file.ts";
import type { MachineUnits } from "./machine-units.ts";
import type { Measurement, MeasurementReader } from "./measurement.ts";
import { type ProcStat, parseProcStat, parseProcStatm } from "./proc-stat.ts";
import { accountCpu, type CpuAccount, EMPTY_CPU_ACCOUNT } from "./process-cpu.ts";
import type { ProcessTable } from "./process-table.ts";

interface Member extends Disposable {
  readonly stat: KeptFile;
  readonly statm: KeptFile;
}

/**
 * Measures a process and all it started, by its session (or process group): for a replica without a cgroup. CPU is
 * exact but for what children used that ended unwaited since the last look; usage is the sum of the resident sets,
 * and the working set counts pages that processes share once.
 */
export class ProcessTreeReader implements MeasurementReader {
  readonly #leader: number;
  readonly #procRoot: string;
  readonly #table: ProcessTable;
  readonly #units: MachineUnits;
  readonly #by: "session" | "processGroup";
  /** In the order they started: a parent is read before its children. */
  readonly #members = new Map<number, Member>();
  #account: CpuAccount = EMPTY_CPU_ACCOUNT;

  /** @throws GoneError when there is no such process, Error when it leads neither a session nor a group */
  constructor(leader: number, procRoot: string, table: ProcessTable, units: MachineUnits) {
    this.#leader = leader;
    this.#procRoot = procRoot;
    this.#table = table;
    this.#units = units;
    using file = new KeptFile(join(procRoot, String(leader), "stat"));
    const stat = readStat(file);
    if (stat?.session === leader) this.#by = "session";
    else if (stat?.processGroup === leader) this.#by = "processGroup";
    else throw new Error(`process ${leader} leads neither a session nor a process group`);
  }

  readInto(into: Measurement): void {
    this.#admitNewMembers();
    const stats: ProcStat[] = [];
    let residentPages = 0;
    let privatePages = 0;
    let largestSharedPages = 0;
    for (const [pid, member] of this.#members) {
      try {
        const stat = readStat(member.stat);
        if (stat === undefined) continue;
        if (stat[this.#by] !== this.#leader) {
          this.#dismiss(pid);
          continue;
        }
        stats.push(stat);
        const memory = parseProcStatm(latin1(member.statm.read()));
        if (memory === undefined) continue;
        residentPages += memory.residentPages;
        privatePages += Math.max(0, memory.residentPages - memory.sharedPages);
        largestSharedPages = Math.max(largestSharedPages, memory.sharedPages);
      } catch (error) {
        if (!(error instanceof GoneError)) throw error;
        this.#dismiss(pid);
      }
    }
    if (stats.every((stat) => stat.ended))
      throw new GoneError(`process ${this.#leader} and its children ended`);
    this.#account = accountCpu(this.#account, stats);
    into.cpuUsageSeconds = this.#account.totalTicks / this.#units.ticksPerSecond;
    into.memoryUsageBytes = residentPages * this.#units.pageBytes;
    into.memoryWorkingSetBytes = (privatePages + largestSharedPages) * this.#units.pageBytes;
  }

  pids(): number[] {
    return [...this.#members.keys()];
  }

  #admitNewMembers(): void {
    const arrivals: { pid: number; startTicks: number; member: Member }[] = [];
    for (const pid of this.#table.members(this.#leader, this.#by)) {
      if (this.#members.has(pid)) continue;
      try {
        const member = openMember(join(this.#procRoot, String(pid)));
        const stat = readStat(member.stat);
        // The table's knowledge may be some looks old.
        if (stat?.[this.#by] !== this.#leader) member[Symbol.dispose]();
        else arrivals.push({ pid, startTicks: stat.startTicks, member });
      } catch (error) {
        if (!(error instanceof GoneError)) throw error;
      }
    }
    arrivals.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
    for (const { pid, member } of arrivals) this.#members.set(pid, member);
  }

  #dismiss(pid: number): void {
    this.#members.get(pid)?.[Symbol.dispose]();
    this.#members.delete(pid);
  }

  [Symbol.dispose](): void {
    for (const pid of [...this.#members.keys()]) this.#dismiss(pid);
  }
}

function openMember(directory: string): Member {
  using files = new DisposableStack();
  const stat = files.use(new KeptFile(join(directory, "stat")));
  const statm = files.use(new KeptFile(join(directory, "statm")));
  const kept = files.move();
  return { stat, statm, [Symbol.dispose]: () => kept.dispose() };
}

function readStat(file: KeptFile): ProcStat | undefined {
  return parseProcStat(latin1(file.read()));
}

function latin1({ bytes, length }: FileBytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
}
