import { join } from "node:path/posix";
import type { Clock } from "../../core/clock.ts";
import type { KeptFile } from "../read/kept-file.ts";
import { openIfPresent, pickFrom } from "../read/kept-numbers.ts";
import { readMachineUnits } from "../read/machine-units.ts";
import { type FilesystemUse, type InterfaceCounters, Measurement } from "../read/measurement.ts";
import { parseNetDev } from "../read/net-dev.ts";
import { parsePressure } from "../read/pressure.ts";
import { HostFilesystems } from "./host-filesystems.ts";
import type { CpuTimes, DiskCounters, HostFilesystem, HostMeasurement } from "./host-measurement.ts";
import { parseDisks, parseKeyed, parseLoads, parseMeminfo, parseStat, textOf } from "./host-text.ts";

/** Interfaces of containers, seen from outside: they come and go with them, and are counted inside. */
const VIRTUAL_INTERFACE = /^(?:veth|cali|lxc)/u;

/** Reads the machine itself, from files that stay open. What a kernel does not tell stays unknown. */
export class HostReader implements Disposable {
  readonly #clock: Clock;
  readonly #opened: DisposableStack;
  readonly #filesystems: HostFilesystems;
  readonly #ticksPerSecond: number;
  readonly #stat: KeptFile | undefined;
  readonly #meminfo: KeptFile | undefined;
  readonly #vmstat: KeptFile | undefined;
  readonly #loadavg: KeptFile | undefined;
  readonly #diskstats: KeptFile | undefined;
  readonly #netDev: KeptFile | undefined;
  readonly #pressure: Readonly<Record<"cpu" | "memory" | "io", KeptFile | undefined>>;
  #allInterfaces: readonly InterfaceCounters[] = [];

  /** `root` is `/`, the mounted root of a host, or a recorded tree. */
  constructor({ root = "/", clock }: { readonly root?: string; readonly clock: Clock }) {
    this.#clock = clock;
    this.#ticksPerSecond = readMachineUnits().ticksPerSecond;
    using opened = new DisposableStack();
    const open = (name: string): KeptFile | undefined => opened.use(openIfPresent(join(root, "proc", name)));
    this.#stat = open("stat");
    this.#meminfo = open("meminfo");
    this.#vmstat = open("vmstat");
    this.#loadavg = open("loadavg");
    this.#diskstats = open("diskstats");
    // The network namespace of the machine, also where this process is in another.
    this.#netDev = open("1/net/dev") ?? open("net/dev");
    this.#pressure = { cpu: open("pressure/cpu"), memory: open("pressure/memory"), io: open("pressure/io") };
    this.#filesystems = opened.use(new HostFilesystems(root));
    this.#opened = opened.move();
  }

  read(): HostMeasurement {
    const stat = pickFrom(this.#stat, (content) => parseStat(textOf(content), this.#ticksPerSecond));
    const memory = pickFrom(this.#meminfo, (content) => parseMeminfo(textOf(content))) ?? new Map();
    const vmstat = pickFrom(this.#vmstat, (content) => parseKeyed(textOf(content))) ?? new Map();
    const disks = pickFrom(this.#diskstats, (content) => parseDisks(textOf(content))) ?? [];
    this.#allInterfaces =
      pickFrom(this.#netDev, (content) => parseNetDev(content, this.#allInterfaces)) ?? [];
    const interfaces = this.#allInterfaces.filter(({ name }) => !VIRTUAL_INTERFACE.test(name));
    const cpu = pickFrom(this.#pressure.cpu, parsePressure);
    const memoryPressure = pickFrom(this.#pressure.memory, parsePressure);
    const io = pickFrom(this.#pressure.io, parsePressure);
    const filesystems = this.#filesystems.found;
    const cpus = stat?.cpus ?? [];
    const root = rootMeasurement({ cpus, memory, vmstat, disks, interfaces, filesystems });
    root.cpuWaitingSeconds = cpu?.waiting;
    root.memoryWaitingSeconds = memoryPressure?.waiting;
    root.memoryStalledSeconds = memoryPressure?.stalled;
    root.ioWaitingSeconds = io?.waiting;
    root.ioStalledSeconds = io?.stalled;
    if (stat?.bootedAtSeconds !== undefined) {
      root.details = { ...root.details, startedAtSeconds: stat.bootedAtSeconds };
    }
    return {
      atMs: this.#clock.nowMs(),
      root,
      cpus,
      bootedAtSeconds: stat?.bootedAtSeconds,
      contextSwitches: stat?.contextSwitches,
      forks: stat?.forks,
      runningTasks: stat?.runningTasks,
      blockedTasks: stat?.blockedTasks,
      loads: pickFrom(this.#loadavg, (content) => parseLoads(textOf(content))),
      memory,
      vmstat,
      disks,
      interfaces,
      filesystems,
      pressure: {
        // Of the machine as a whole the CPU is never short for all tasks: the kernel always says 0.
        cpuWaiting: cpu?.waiting,
        memoryWaiting: memoryPressure?.waiting,
        memoryStalled: memoryPressure?.stalled,
        ioWaiting: io?.waiting,
        ioStalled: io?.stalled,
      },
    };
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}

interface RootSources {
  readonly cpus: readonly CpuTimes[];
  readonly memory: ReadonlyMap<string, number>;
  readonly vmstat: ReadonlyMap<string, number>;
  readonly disks: readonly DiskCounters[];
  readonly interfaces: readonly InterfaceCounters[];
  readonly filesystems: readonly HostFilesystem[];
}

/** The machine in the words of a container: what boards add up or compare containers with. */
function rootMeasurement(sources: RootSources): Measurement {
  const { cpus, memory, vmstat, disks, interfaces, filesystems } = sources;
  const root = new Measurement();
  if (cpus.length > 0) {
    root.cpuUserSeconds = sum(cpus.map(({ user, nice }) => user + nice));
    root.cpuSystemSeconds = sum(cpus.map(({ system, irq, softirq }) => system + irq + softirq));
    root.cpuUsageSeconds = sum([root.cpuUserSeconds, root.cpuSystemSeconds]);
  }
  const inactive = memory.get("Inactive(file)");
  root.memoryUsageBytes = difference(memory.get("MemTotal"), memory.get("MemFree"));
  root.memoryWorkingSetBytes = difference(root.memoryUsageBytes, inactive);
  root.memoryRssBytes = memory.get("AnonPages");
  root.memoryCacheBytes = memory.get("Cached");
  root.memorySwapBytes = difference(memory.get("SwapTotal"), memory.get("SwapFree"));
  root.memoryMappedFileBytes = memory.get("Mapped");
  root.memoryActiveFileBytes = memory.get("Active(file)");
  root.memoryInactiveFileBytes = inactive;
  root.memoryDirtyBytes = memory.get("Dirty");
  root.memoryWritebackBytes = memory.get("Writeback");
  root.pageFaultsBelow = vmstat.get("pgfault");
  root.majorPageFaultsBelow = vmstat.get("pgmajfault");
  root.interfaces = interfaces;
  root.devices = wholeDisks(disks).map(
    ({ device, readBytes, writtenBytes, readsCompleted, writesCompleted }) => ({
      name: `/dev/${device}`,
      readBytes,
      writeBytes: writtenBytes,
      reads: readsCompleted,
      writes: writesCompleted,
    }),
  );
  root.oomKills = vmstat.get("oom_kill");
  root.details = {
    filesystems: useByDevice(filesystems),
  };
  return root;
}

/** What goes to a partition goes to its disk, and would count twice. */
function wholeDisks(disks: readonly DiskCounters[]): readonly DiskCounters[] {
  const names = new Set(disks.map(({ device }) => device));
  return disks.filter(({ device }) => {
    const disk = /^(?<disk>.*?\d)p\d+$|^(?<plain>.*?\D)\d+$/u.exec(device)?.groups;
    return !names.has(disk?.["disk"] ?? disk?.["plain"] ?? "");
  });
}

/** Each device once, though parts of it may be mounted as filesystems of their own. */
function useByDevice(filesystems: readonly HostFilesystem[]): FilesystemUse[] {
  const byDevice = new Map(filesystems.map((filesystem) => [filesystem.device, filesystem]));
  return Array.from(byDevice, ([device, { sizeBytes, freeBytes, inodes, freeInodes }]) => ({
    device,
    usageBytes: sizeBytes - freeBytes,
    sizeBytes,
    inodes,
    freeInodes,
  }));
}

/** To the microsecond: ticks are hundredths, and the rest would be the noise of adding. */
function sum(seconds: readonly number[]): number {
  return Math.round(seconds.reduce((total, value) => total + value, 0) * 1e6) / 1e6;
}

function difference(from: number | undefined, what: number | undefined): number | undefined {
  return from === undefined || what === undefined ? undefined : Math.max(0, from - what);
}
