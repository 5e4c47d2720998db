import { SECOND_MS } from "../../core/units.ts";
import type { CpuTimes, DiskCounters, HostFilesystem, HostMeasurement } from "../host/host-measurement.ts";
import type { InterfaceCounters } from "../read/measurement.ts";
import { each, type Family, one, type Unit } from "./family.ts";

type HostFamily = Family<HostMeasurement>;

const CPU_MODES = [
  "user",
  "nice",
  "system",
  "idle",
  "iowait",
  "irq",
  "softirq",
  "steal",
] as const satisfies (keyof CpuTimes)[];

interface ModeTime {
  readonly cpu: string;
  readonly mode: string;
  readonly seconds: number;
}

const modeTimes = new WeakMap<readonly CpuTimes[], readonly ModeTime[]>();

function modeTimesOf({ cpus }: HostMeasurement): readonly ModeTime[] {
  let known = modeTimes.get(cpus);
  if (known === undefined) {
    known = cpus.flatMap((times) =>
      CPU_MODES.map((mode) => ({ cpu: times.cpu, mode, seconds: times[mode] })),
    );
    modeTimes.set(cpus, known);
  }
  return known;
}

const cpu: readonly HostFamily[] = [
  {
    name: "machine_cpu_cores",
    type: "gauge",
    unit: "",
    help: "CPUs of the machine.",
    labels: [],
    rows: one(({ cpus }) => (cpus.length === 0 ? undefined : cpus.length)),
  },
  {
    name: "node_cpu_seconds_total",
    type: "counter",
    unit: "seconds",
    help: "Time that the CPU spent in each mode.",
    labels: ["cpu", "mode"],
    rows: each(
      modeTimesOf,
      ({ cpu, mode }) => [cpu, mode],
      ({ seconds }) => seconds,
    ),
  },
  plain("node_load1", "", "Load average over one minute.", ({ loads }) => loads?.[0]),
  plain("node_load5", "", "Load average over five minutes.", ({ loads }) => loads?.[1]),
  plain("node_load15", "", "Load average over fifteen minutes.", ({ loads }) => loads?.[2]),
  plain("node_procs_running", "", "Tasks that can run.", ({ runningTasks }) => runningTasks),
  plain("node_procs_blocked", "", "Tasks that wait for input or output.", ({ blockedTasks }) => blockedTasks),
  counter("node_context_switches_total", "", "Context switches.", ({ contextSwitches }) => contextSwitches),
  counter("node_forks_total", "", "Forks.", ({ forks }) => forks),
  plain(
    "node_boot_time_seconds",
    "seconds",
    "When the machine started, since 1970.",
    (host) => host.bootedAtSeconds,
  ),
  plain("node_time_seconds", "seconds", "The machine's time, since 1970.", ({ atMs }) => atMs / SECOND_MS),
];

/** As `/proc/meminfo` has them; those of other kernels are not shown. */
const MEMORY_KEYS = [
  "MemTotal",
  "MemFree",
  "MemAvailable",
  "Buffers",
  "Cached",
  "SwapCached",
  "Active",
  "Inactive",
  "Active(anon)",
  "Inactive(anon)",
  "Active(file)",
  "Inactive(file)",
  "Unevictable",
  "Mlocked",
  "SwapTotal",
  "SwapFree",
  "Dirty",
  "Writeback",
  "AnonPages",
  "Mapped",
  "Shmem",
  "KReclaimable",
  "Slab",
  "SReclaimable",
  "SUnreclaim",
  "KernelStack",
  "PageTables",
  "CommitLimit",
  "Committed_AS",
  "VmallocUsed",
  "Percpu",
  "AnonHugePages",
] as const;

const VMSTAT_KEYS = {
  pgfault: "Page faults.",
  pgmajfault: "Page faults that had to read.",
  pgpgin: "Kibibytes paged in.",
  pgpgout: "Kibibytes paged out.",
  pswpin: "Pages swapped in.",
  pswpout: "Pages swapped out.",
  oom_kill: "Processes that the kernel killed for want of memory.",
} as const;

const memory: readonly HostFamily[] = [
  plain("machine_memory_bytes", "bytes", "Memory of the machine.", (host) => host.memory.get("MemTotal")),
  ...MEMORY_KEYS.map((key) =>
    plain(
      `node_memory_${key.replace("(", "_").replace(")", "")}_bytes`,
      "bytes",
      `${key} of /proc/meminfo.`,
      (host) => host.memory.get(key),
    ),
  ),
  ...Object.entries(VMSTAT_KEYS).map(
    ([key, help]): HostFamily => ({
      name: `node_vmstat_${key}`,
      type: "unknown",
      unit: "",
      help,
      labels: [],
      rows: one((host) => host.vmstat.get(key)),
    }),
  ),
];

const disks: readonly HostFamily[] = [
  disk("reads_completed_total", "", "Reads completed.", (entry) => entry.readsCompleted),
  disk("reads_merged_total", "", "Reads merged.", (entry) => entry.readsMerged),
  disk("read_bytes_total", "bytes", "Bytes read.", (entry) => entry.readBytes),
  disk("read_time_seconds_total", "seconds", "Time that reads took, summed.", (entry) => entry.readSeconds),
  disk("writes_completed_total", "", "Writes completed.", (entry) => entry.writesCompleted),
  disk("writes_merged_total", "", "Writes merged.", (entry) => entry.writesMerged),
  disk("written_bytes_total", "bytes", "Bytes written.", (entry) => entry.writtenBytes),
  disk(
    "write_time_seconds_total",
    "seconds",
    "Time that writes took, summed.",
    (entry) => entry.writeSeconds,
  ),
  disk("io_now", "", "Reads and writes in progress.", (entry) => entry.inProgress, "gauge"),
  disk(
    "io_time_seconds_total",
    "seconds",
    "Time in which the device was busy.",
    (entry) => entry.busySeconds,
  ),
  disk(
    "io_time_weighted_seconds_total",
    "seconds",
    "Time in which it was busy, times what was in progress.",
    (entry) => entry.weightedSeconds,
  ),
];

function disk(
  what: string,
  unit: Unit,
  help: string,
  value: (entry: DiskCounters) => number,
  type: HostFamily["type"] = "counter",
): HostFamily {
  return {
    name: `node_disk_${what}`,
    type,
    unit,
    help,
    labels: ["device"],
    rows: each(
      (host) => host.disks,
      ({ device }) => [device],
      value,
    ),
  };
}

const filesystems: readonly HostFamily[] = [
  filesystem("size_bytes", "bytes", "Size of the filesystem.", (entry) => entry.sizeBytes),
  filesystem("free_bytes", "bytes", "Free bytes.", (entry) => entry.freeBytes),
  filesystem("avail_bytes", "bytes", "Free bytes for who is not root.", (entry) => entry.availableBytes),
  filesystem("files", "", "Inodes.", (entry) => entry.inodes),
  filesystem("files_free", "", "Free inodes.", (entry) => entry.freeInodes),
  filesystem("readonly", "", "1 when it is mounted read-only.", (entry) => Number(entry.isReadOnly)),
];

function filesystem(
  what: string,
  unit: Unit,
  help: string,
  value: (entry: HostFilesystem) => number,
): HostFamily {
  return {
    name: `node_filesystem_${what}`,
    type: "gauge",
    unit,
    help: `${help} Looked at seldom.`,
    labels: ["device", "fstype", "mountpoint"],
    rows: each(
      (host) => host.filesystems,
      ({ device, type, mountPoint }) => [device, type, mountPoint],
      value,
    ),
  };
}

const network: readonly HostFamily[] = [
  ethernet("receive_bytes", "bytes", "Bytes received.", (entry) => entry.receiveBytes),
  ethernet("receive_packets", "", "Packets received.", (entry) => entry.receivePackets),
  ethernet("receive_errs", "", "Errors while receiving.", (entry) => entry.receiveErrors),
  ethernet("receive_drop", "", "Packets dropped while receiving.", (entry) => entry.receiveDropped),
  ethernet("transmit_bytes", "bytes", "Bytes sent.", (entry) => entry.transmitBytes),
  ethernet("transmit_packets", "", "Packets sent.", (entry) => entry.transmitPackets),
  ethernet("transmit_errs", "", "Errors while sending.", (entry) => entry.transmitErrors),
  ethernet("transmit_drop", "", "Packets dropped while sending.", (entry) => entry.transmitDropped),
];

function ethernet(
  what: string,
  unit: Unit,
  help: string,
  value: (entry: InterfaceCounters) => number,
): HostFamily {
  return {
    name: `node_network_${what}_total`,
    type: "counter",
    unit,
    help,
    labels: ["device"],
    rows: each(
      (host) => host.interfaces,
      ({ name }) => [name],
      value,
    ),
  };
}

const pressure: readonly HostFamily[] = [
  counter(
    "node_pressure_cpu_waiting_seconds_total",
    "seconds",
    "Time in which some tasks waited for the CPU.",
    (host) => host.pressure.cpuWaiting,
  ),
  counter(
    "node_pressure_memory_waiting_seconds_total",
    "seconds",
    "Time in which some tasks waited for memory.",
    (host) => host.pressure.memoryWaiting,
  ),
  counter(
    "node_pressure_memory_stalled_seconds_total",
    "seconds",
    "Time in which all tasks waited for memory.",
    (host) => host.pressure.memoryStalled,
  ),
  counter(
    "node_pressure_io_waiting_seconds_total",
    "seconds",
    "Time in which some tasks waited for input and output.",
    (host) => host.pressure.ioWaiting,
  ),
  counter(
    "node_pressure_io_stalled_seconds_total",
    "seconds",
    "Time in which all tasks waited for input and output.",
    (host) => host.pressure.ioStalled,
  ),
];

function plain(
  name: string,
  unit: Unit,
  help: string,
  value: (host: HostMeasurement) => number | undefined,
): HostFamily {
  return { name, type: "gauge", unit, help, labels: [], rows: one(value) };
}

function counter(
  name: string,
  unit: Unit,
  help: string,
  value: (host: HostMeasurement) => number | undefined,
): HostFamily {
  return { name, type: "counter", unit, help, labels: [], rows: one(value) };
}

export const HOST_FAMILIES: readonly HostFamily[] = [
  ...cpu,
  ...memory,
  ...disks,
  ...filesystems,
  ...network,
  ...pressure,
];
