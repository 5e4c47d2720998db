import {
  type DeviceCounters,
  type InterfaceCounters,
  Measurement,
  workingSetBytes,
} from "../read/measurement.ts";

/** One line of the engine's stats of a container, as far as it is read here. Any field may be absent. */
export interface StatsAnswer {
  /** When the engine read it; Go's zero time when it did not. */
  readonly read?: string;
  readonly cpu_stats?: {
    readonly cpu_usage?: {
      readonly total_usage?: number;
      readonly usage_in_usermode?: number;
      readonly usage_in_kernelmode?: number;
    };
    readonly throttling_data?: {
      readonly periods?: number;
      readonly throttled_periods?: number;
      readonly throttled_time?: number;
    };
  };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly max_usage?: number;
    readonly failcnt?: number;
    readonly limit?: number;
    /** The kernel's `memory.stat`, of whichever version. */
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly pids_stats?: { readonly current?: number };
  readonly networks?: Readonly<Record<string, StatsNetwork>> | null;
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly StatsIo[] | null;
    readonly io_serviced_recursive?: readonly StatsIo[] | null;
  };
}

interface StatsNetwork {
  readonly rx_bytes?: number;
  readonly rx_packets?: number;
  readonly rx_errors?: number;
  readonly rx_dropped?: number;
  readonly tx_bytes?: number;
  readonly tx_packets?: number;
  readonly tx_errors?: number;
  readonly tx_dropped?: number;
}

interface StatsIo {
  readonly major?: number;
  readonly minor?: number;
  /** `Read` on cgroup v1, `read` on v2. */
  readonly op?: string;
  readonly value?: number;
}

const NANOSECONDS = 1e9;

/** Undefined when the engine had nothing to say: a container that ends gives one such line. */
export function measurementOfStats(answer: StatsAnswer): Measurement | undefined {
  if (answer.read?.startsWith("0001-") === true) return undefined;
  const measurement = new Measurement();
  readCpu(measurement, answer);
  readMemory(measurement, answer);
  measurement.threads = answer.pids_stats?.current;
  measurement.interfaces = interfacesOf(answer);
  measurement.devices = devicesOf(answer);
  return measurement;
}

function readCpu(measurement: Measurement, { cpu_stats }: StatsAnswer): void {
  const { cpu_usage: usage, throttling_data: throttling } = cpu_stats ?? {};
  measurement.cpuUsageSeconds = seconds(usage?.total_usage);
  measurement.cpuUserSeconds = seconds(usage?.usage_in_usermode);
  measurement.cpuSystemSeconds = seconds(usage?.usage_in_kernelmode);
  // Without a limit there are no periods, and the engine says 0.
  if (throttling?.periods === undefined || throttling.periods === 0) return;
  measurement.cpuPeriods = throttling.periods;
  measurement.cpuThrottledPeriods = throttling.throttled_periods;
  measurement.cpuThrottledSeconds = seconds(throttling.throttled_time);
}

function readMemory(measurement: Measurement, { memory_stats: memory = {} }: StatsAnswer): void {
  const stats = memory.stats ?? {};
  const inactiveFile = stats["total_inactive_file"] ?? stats["inactive_file"];
  measurement.memoryUsageBytes = memory.usage;
  measurement.memoryWorkingSetBytes = workingSetBytes(memory.usage, inactiveFile);
  measurement.memoryMaxUsageBytes = memory.max_usage;
  measurement.memoryLimitHits = memory.failcnt;
  measurement.memoryRssBytes = stats["total_rss"] ?? stats["anon"];
  measurement.memoryCacheBytes = stats["total_cache"] ?? stats["file"];
  measurement.memorySwapBytes = stats["total_swap"];
  measurement.memoryMappedFileBytes = stats["total_mapped_file"] ?? stats["file_mapped"];
  measurement.memoryActiveFileBytes = stats["total_active_file"] ?? stats["active_file"];
  measurement.memoryInactiveFileBytes = inactiveFile;
  measurement.memoryDirtyBytes = stats["total_dirty"] ?? stats["file_dirty"];
  measurement.memoryWritebackBytes = stats["total_writeback"] ?? stats["file_writeback"];
  measurement.pageFaults = stats["pgfault"];
  measurement.majorPageFaults = stats["pgmajfault"];
}

function interfacesOf({ networks }: StatsAnswer): InterfaceCounters[] {
  return Object.entries(networks ?? {}).map(([name, network]) => ({
    name,
    receiveBytes: network.rx_bytes ?? 0,
    receivePackets: network.rx_packets ?? 0,
    receiveErrors: network.rx_errors ?? 0,
    receiveDropped: network.rx_dropped ?? 0,
    transmitBytes: network.tx_bytes ?? 0,
    transmitPackets: network.tx_packets ?? 0,
    transmitErrors: network.tx_errors ?? 0,
    transmitDropped: network.tx_dropped ?? 0,
  }));
}

function devicesOf({ blkio_stats: io }: StatsAnswer): DeviceCounters[] {
  const bytes = byDevice(io?.io_service_bytes_recursive ?? []);
  const operations = byDevice(io?.io_serviced_recursive ?? []);
  return [...bytes.keys()].map((name) => ({
    name,
    readBytes: bytes.get(name)?.get("read"),
    writeBytes: bytes.get(name)?.get("write"),
    reads: operations.get(name)?.get("read"),
    writes: operations.get(name)?.get("write"),
  }));
}

function byDevice(entries: readonly StatsIo[]): Map<string, Map<string, number>> {
  const devices = new Map<string, Map<string, number>>();
  for (const { major, minor, op, value } of entries) {
    if (op === undefined || value === undefined) continue;
    const name = `${major}:${minor}`;
    const operations = devices.get(name) ?? new Map<string, number>();
    devices.set(name, operations.set(op.toLowerCase(), value));
  }
  return devices;
}

function seconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / NANOSECONDS;
}
