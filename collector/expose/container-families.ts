import { SECOND_MS } from "../../core/units.ts";
import type { Discovered } from "../discover/discovered.ts";
import type { Measurement } from "../read/measurement.ts";
import { type Family, one, several } from "./family.ts";

/** A container or process at one tick; the machine itself is one without a `container`. */
export interface ContainerReading {
  readonly measurement: Measurement;
  readonly container: Discovered | undefined;
  readonly atMs: number;
}

type ContainerFamily = Family<ContainerReading>;

const lifecycle: readonly ContainerFamily[] = [
  {
    name: "container_last_seen",
    type: "gauge",
    unit: "seconds",
    help: "When the container was last read, in seconds since 1970.",
    labels: [],
    rows: one(({ atMs }) => atMs / SECOND_MS),
  },
  {
    name: "container_start_time_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the container was last started, in seconds since 1970.",
    labels: [],
    rows: one(
      ({ container, measurement }) =>
        secondsOf(container?.startedAtMs) ?? measurement.details.startedAtSeconds,
    ),
  },
  {
    name: "container_creation_time_seconds",
    type: "gauge",
    unit: "seconds",
    help: "When the container was made, in seconds since 1970.",
    labels: [],
    rows: one(({ container }) => secondsOf(container?.createdAtMs)),
  },
  {
    name: "container_restarts_total",
    type: "counter",
    unit: "",
    help: "How often the engine started the container again.",
    labels: [],
    rows: one(({ container }) => container?.restarts),
  },
  {
    name: "container_health_state",
    type: "gauge",
    unit: "",
    help: "1 when the health check says healthy, 0 when it says unhealthy or starting; absent without a health check.",
    labels: [],
    rows: one(({ container }) =>
      container?.health === undefined ? undefined : Number(container.health === "healthy"),
    ),
  },
];

const cpu: readonly ContainerFamily[] = [
  {
    name: "container_cpu_usage_seconds_total",
    type: "counter",
    unit: "seconds",
    help: "CPU time used, over all CPUs.",
    labels: ["cpu"],
    rows: several([["total"], ({ measurement }) => measurement.cpuUsageSeconds]),
  },
  {
    name: "container_cpu_user_seconds_total",
    type: "counter",
    unit: "seconds",
    help: "CPU time used in user mode.",
    labels: [],
    rows: one(({ measurement }) => measurement.cpuUserSeconds),
  },
  {
    name: "container_cpu_system_seconds_total",
    type: "counter",
    unit: "seconds",
    help: "CPU time used in the kernel.",
    labels: [],
    rows: one(({ measurement }) => measurement.cpuSystemSeconds),
  },
  {
    name: "container_cpu_cfs_periods_total",
    type: "counter",
    unit: "",
    help: "Enforcement periods of the CPU limit that passed; absent without a limit.",
    labels: [],
    rows: one((reading) => underQuota(reading, reading.measurement.cpuPeriods)),
  },
  {
    name: "container_cpu_cfs_throttled_periods_total",
    type: "counter",
    unit: "",
    help: "Enforcement periods in which the CPU limit held the container back; absent without a limit.",
    labels: [],
    rows: one((reading) => underQuota(reading, reading.measurement.cpuThrottledPeriods)),
  },
  {
    name: "container_cpu_cfs_throttled_seconds_total",
    type: "counter",
    unit: "seconds",
    help: "Time that the container was held back by its CPU limit; absent without a limit.",
    labels: [],
    rows: one((reading) => underQuota(reading, reading.measurement.cpuThrottledSeconds)),
  },
  {
    name: "container_cpu_load_average_10s",
    type: "gauge",
    unit: "",
    help: "Running threads, smoothed over 10 seconds, times 1000; looked at seldom.",
    labels: [],
    rows: one(({ measurement }) => {
      const { runningThreads } = measurement.details;
      return runningThreads === undefined ? undefined : Math.round(runningThreads * 1_000);
    }),
  },
];

const memory: readonly ContainerFamily[] = [
  {
    name: "container_memory_usage_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Memory in use, the file cache among it.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryUsageBytes),
  },
  {
    name: "container_memory_working_set_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Memory in use without the file cache that the kernel would give up first.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryWorkingSetBytes),
  },
  {
    name: "container_memory_rss",
    type: "gauge",
    unit: "bytes",
    help: "Anonymous memory and swap cache.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryRssBytes),
  },
  {
    name: "container_memory_cache",
    type: "gauge",
    unit: "bytes",
    help: "Page cache.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryCacheBytes),
  },
  {
    name: "container_memory_swap",
    type: "gauge",
    unit: "bytes",
    help: "Swap in use.",
    labels: [],
    rows: one(({ measurement }) => measurement.memorySwapBytes),
  },
  {
    name: "container_memory_mapped_file",
    type: "gauge",
    unit: "bytes",
    help: "Memory-mapped files.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryMappedFileBytes),
  },
  {
    name: "container_memory_total_active_file_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Page cache that was used lately.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryActiveFileBytes),
  },
  {
    name: "container_memory_total_inactive_file_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Page cache that the kernel would give up first.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryInactiveFileBytes),
  },
  {
    name: "container_memory_file_dirty_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Page cache that is yet to be written.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryDirtyBytes),
  },
  {
    name: "container_memory_file_writeback_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Page cache that is being written.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryWritebackBytes),
  },
  {
    name: "container_memory_max_usage_bytes",
    type: "gauge",
    unit: "bytes",
    help: "The most memory that was ever in use.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryMaxUsageBytes),
  },
  {
    name: "container_memory_failcnt",
    type: "counter",
    unit: "",
    help: "How often memory use hit the limit.",
    labels: [],
    rows: one(({ measurement }) => measurement.memoryLimitHits),
  },
  {
    name: "container_memory_failures_total",
    type: "counter",
    unit: "",
    help: "Page faults, of the container's own cgroup and with those below it; cgroup v2 counts the latter only.",
    labels: ["failure_type", "scope"],
    rows: several(
      [["pgfault", "container"], ({ measurement }) => measurement.pageFaults],
      [["pgfault", "hierarchy"], ({ measurement }) => measurement.pageFaultsBelow],
      [["pgmajfault", "container"], ({ measurement }) => measurement.majorPageFaults],
      [["pgmajfault", "hierarchy"], ({ measurement }) => measurement.majorPageFaultsBelow],
    ),
  },
  {
    name: "container_memory_workingset_refault_anon_total",
    type: "counter",
    unit: "pages",
    help: "Anonymous pages that had been given up and were needed again.",
    labels: [],
    rows: one(({ measurement }) => measurement.refaultedAnonPages),
  },
  {
    name: "container_memory_workingset_refault_file_total",
    type: "counter",
    unit: "pages",
    help: "Pages of files that had been given up and were needed again.",
    labels: [],
    rows: one(({ measurement }) => measurement.refaultedFilePages),
  },
  {
    name: "container_oom_events_total",
    type: "counter",
    unit: "",
    help: "Processes that the kernel killed for want of memory.",
    labels: [],
    rows: one(({ measurement }) => measurement.oomKills),
  },
];

const limits: readonly ContainerFamily[] = [
  {
    name: "container_spec_cpu_period",
    type: "gauge",
    unit: "microseconds",
    help: "Length of an enforcement period of the CPU limit.",
    labels: [],
    rows: one(
      ({ measurement, container }) =>
        measurement.details.cpuPeriodMicroseconds ?? container?.limits.cpuPeriodMicroseconds,
    ),
  },
  {
    name: "container_spec_cpu_quota",
    type: "gauge",
    unit: "microseconds",
    help: "CPU time that the container may use in a period; absent without a limit.",
    labels: [],
    rows: one(cpuQuota),
  },
  {
    name: "container_spec_cpu_shares",
    type: "gauge",
    unit: "",
    help: "CPU shares of the container.",
    labels: [],
    rows: one(({ measurement, container }) => measurement.details.cpuShares ?? container?.limits.cpuShares),
  },
  {
    name: "container_spec_memory_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Memory limit; 0 without a limit.",
    labels: [],
    rows: one(({ measurement, container }) =>
      zeroIfUnlimited(
        measurement.details.memoryLimitBytes,
        container && (container.limits.memoryBytes ?? Infinity),
      ),
    ),
  },
  {
    name: "container_spec_memory_swap_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Limit of memory and swap together; 0 without a limit.",
    labels: [],
    rows: one(({ measurement, container }) =>
      zeroIfUnlimited(
        measurement.details.memorySwapLimitBytes,
        container && (container.limits.memorySwapBytes ?? Infinity),
      ),
    ),
  },
  {
    name: "container_spec_memory_reservation_limit_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Memory reservation; 0 without one.",
    labels: [],
    rows: one(({ measurement, container }) =>
      zeroIfUnlimited(
        measurement.details.memoryReservationBytes,
        container && (container.limits.memoryReservationBytes ?? Infinity),
      ),
    ),
  },
  {
    name: "flyball_container_memory_limit_ratio",
    type: "gauge",
    unit: "ratio",
    help: "Working set divided by the memory limit; absent without a limit.",
    labels: [],
    rows: one(({ measurement, container }) => {
      const limit = measurement.details.memoryLimitBytes ?? container?.limits.memoryBytes ?? Infinity;
      const used = measurement.memoryWorkingSetBytes;
      return used === undefined || !Number.isFinite(limit) || limit === 0 ? undefined : used / limit;
    }),
  },
];

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / SECOND_MS;
}

function cpuQuota({ measurement, container }: ContainerReading): number | undefined {
  const quota =
    measurement.details.cpuQuotaMicroseconds ?? container?.limits.cpuQuotaMicroseconds ?? Infinity;
  return Number.isFinite(quota) ? quota : undefined;
}

/** Without a quota the kernel counts nothing, and 0 would say that it was never reached. */
function underQuota(reading: ContainerReading, value: number | undefined): number | undefined {
  return cpuQuota(reading) === undefined ? undefined : value;
}

function zeroIfUnlimited(...limits: readonly (number | undefined)[]): number | undefined {
  const limit = limits.find((value) => value !== undefined);
  return limit === Infinity ? 0 : limit;
}

export const USE_FAMILIES: readonly ContainerFamily[] = [...lifecycle, ...cpu, ...memory, ...limits];
