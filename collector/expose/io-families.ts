import type { DeviceCounters, InterfaceCounters, Measurement, TaskStates } from "../read/measurement.ts";
import type { ContainerReading } from "./container-families.ts";
import { each, type Family, one, several } from "./family.ts";

type ContainerFamily = Family<ContainerReading>;

const network: readonly ContainerFamily[] = [
  interfaceFamily("receive_bytes", "bytes", "Bytes received.", (entry) => entry.receiveBytes),
  interfaceFamily("receive_packets", "", "Packets received.", (entry) => entry.receivePackets),
  interfaceFamily(
    "receive_packets_dropped",
    "",
    "Packets dropped while receiving.",
    (entry) => entry.receiveDropped,
  ),
  interfaceFamily("receive_errors", "", "Errors while receiving.", (entry) => entry.receiveErrors),
  interfaceFamily("transmit_bytes", "bytes", "Bytes sent.", (entry) => entry.transmitBytes),
  interfaceFamily("transmit_packets", "", "Packets sent.", (entry) => entry.transmitPackets),
  interfaceFamily(
    "transmit_packets_dropped",
    "",
    "Packets dropped while sending.",
    (entry) => entry.transmitDropped,
  ),
  interfaceFamily("transmit_errors", "", "Errors while sending.", (entry) => entry.transmitErrors),
];

function interfaceFamily(
  what: string,
  unit: ContainerFamily["unit"],
  help: string,
  value: (entry: InterfaceCounters) => number,
): ContainerFamily {
  return {
    name: `container_network_${what}_total`,
    type: "counter",
    unit,
    help: `${help} Absent for a container on the host's network or on another container's.`,
    labels: ["interface"],
    rows: each(
      ({ measurement }) => measurement.interfaces,
      ({ name }) => [name],
      value,
    ),
  };
}

const blockIo: readonly ContainerFamily[] = [
  deviceFamily(
    "container_fs_reads_bytes_total",
    "bytes",
    "Bytes read from the device.",
    (entry) => entry.readBytes,
  ),
  deviceFamily("container_fs_reads_total", "", "Reads from the device.", (entry) => entry.reads),
  deviceFamily(
    "container_fs_writes_bytes_total",
    "bytes",
    "Bytes written to the device.",
    (entry) => entry.writeBytes,
  ),
  deviceFamily("container_fs_writes_total", "", "Writes to the device.", (entry) => entry.writes),
  {
    name: "container_blkio_device_usage_total",
    type: "counter",
    unit: "bytes",
    help: "Bytes to and from the device, by operation.",
    labels: ["device", "operation"],
    rows: each(
      ({ measurement }) => operationsOf(measurement),
      ({ device, operation }) => [device, operation],
      ({ bytes }) => bytes,
    ),
  },
];

function deviceFamily(
  name: string,
  unit: ContainerFamily["unit"],
  help: string,
  value: (entry: DeviceCounters) => number | undefined,
): ContainerFamily {
  return {
    name,
    type: "counter",
    unit,
    help: `${help} Absent where the kernel has counted nothing yet.`,
    labels: ["device"],
    rows: each(
      ({ measurement }) => measurement.devices,
      (entry) => [entry.name],
      value,
    ),
  };
}

interface Operation {
  readonly device: string;
  readonly operation: "Read" | "Write";
  readonly bytes: number | undefined;
}

const operations = new WeakMap<readonly DeviceCounters[], readonly Operation[]>();

function operationsOf({ devices }: Measurement): readonly Operation[] {
  if (devices.length === 0) return [];
  let known = operations.get(devices);
  if (known === undefined) {
    known = devices.flatMap(({ name: device, readBytes, writeBytes }): Operation[] => [
      { device, operation: "Read", bytes: readBytes },
      { device, operation: "Write", bytes: writeBytes },
    ]);
    operations.set(devices, known);
  }
  return known;
}

const filesystems: readonly ContainerFamily[] = [
  filesystemFamily(
    "usage_bytes",
    "bytes",
    "Bytes that the writable layer takes.",
    (entry) => entry.usageBytes,
  ),
  filesystemFamily(
    "limit_bytes",
    "bytes",
    "Size of the filesystem that the writable layer is on.",
    (entry) => entry.sizeBytes,
  ),
  filesystemFamily(
    "inodes_total",
    "",
    "Inodes of the filesystem that the writable layer is on.",
    (entry) => entry.inodes,
  ),
  filesystemFamily(
    "inodes_free",
    "",
    "Free inodes of the filesystem that the writable layer is on.",
    (entry) => entry.freeInodes,
  ),
  {
    name: "container_volume_usage_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes that a volume takes. Looked at seldom.",
    labels: ["volume", "mountpoint"],
    rows: each(
      ({ measurement }) => measurement.details.volumes ?? [],
      ({ volume, target }) => [volume, target],
      ({ usageBytes }) => usageBytes,
    ),
  },
];

function filesystemFamily(
  what: string,
  unit: ContainerFamily["unit"],
  help: string,
  value: (entry: NonNullable<Measurement["details"]["filesystems"]>[number]) => number | undefined,
): ContainerFamily {
  return {
    name: `container_fs_${what}`,
    type: "gauge",
    unit,
    help: `${help} Looked at seldom.`,
    labels: ["device"],
    rows: each(
      ({ measurement }) => measurement.details.filesystems ?? [],
      ({ device }) => [device],
      value,
    ),
  };
}

const tasks: readonly ContainerFamily[] = [
  {
    name: "container_threads",
    type: "gauge",
    unit: "",
    help: "Threads.",
    labels: [],
    rows: one(({ measurement }) => measurement.threads),
  },
  {
    name: "container_threads_max",
    type: "gauge",
    unit: "",
    help: "The most threads that the container may have; 0 without a limit.",
    labels: [],
    rows: one(({ measurement }) => {
      const { threadsMax } = measurement.details;
      return threadsMax === Infinity ? 0 : threadsMax;
    }),
  },
  {
    name: "container_processes",
    type: "gauge",
    unit: "",
    help: "Processes. Looked at seldom.",
    labels: [],
    rows: one(({ measurement }) => measurement.details.processes),
  },
  {
    name: "container_file_descriptors",
    type: "gauge",
    unit: "",
    help: "Open file descriptors. Looked at seldom.",
    labels: [],
    rows: one(({ measurement }) => measurement.details.openFiles),
  },
  {
    name: "container_sockets",
    type: "gauge",
    unit: "",
    help: "Open sockets. Looked at seldom.",
    labels: [],
    rows: one(({ measurement }) => measurement.details.sockets),
  },
  {
    name: "container_ulimits_soft",
    type: "gauge",
    unit: "",
    help: "Soft limits of the first process; absent when unlimited.",
    labels: ["ulimit"],
    rows: several([["max_open_files"], ({ measurement }) => measurement.details.openFilesLimit]),
  },
  {
    name: "container_tasks_state",
    type: "gauge",
    unit: "",
    help: "Threads in a state. Looked at seldom.",
    labels: ["state"],
    rows: several(
      [["running"], inState("running")],
      [["sleeping"], inState("sleeping")],
      [["stopped"], inState("stopped")],
      [["uninterruptible"], inState("uninterruptible")],
    ),
  },
];

function inState(state: keyof TaskStates): (reading: ContainerReading) => number | undefined {
  return ({ measurement }) => measurement.details.tasks?.[state];
}

const RESOURCES = { cpu: "the CPU", memory: "memory", io: "input and output" } as const;

const pressure: readonly ContainerFamily[] = [
  pressureFamily("cpu", "waiting", (measurement) => measurement.cpuWaitingSeconds),
  pressureFamily("cpu", "stalled", (measurement) => measurement.cpuStalledSeconds),
  pressureFamily("memory", "waiting", (measurement) => measurement.memoryWaitingSeconds),
  pressureFamily("memory", "stalled", (measurement) => measurement.memoryStalledSeconds),
  pressureFamily("io", "waiting", (measurement) => measurement.ioWaitingSeconds),
  pressureFamily("io", "stalled", (measurement) => measurement.ioStalledSeconds),
];

function pressureFamily(
  resource: keyof typeof RESOURCES,
  how: "waiting" | "stalled",
  value: (measurement: Measurement) => number | undefined,
): ContainerFamily {
  return {
    name: `container_pressure_${resource}_${how}_seconds_total`,
    type: "counter",
    unit: "seconds",
    help: `Time in which ${how === "waiting" ? "some" : "all"} tasks waited for ${RESOURCES[resource]}; absent where the kernel does not say.`,
    labels: [],
    rows: one(({ measurement }) => value(measurement)),
  };
}

export const IO_FAMILIES: readonly ContainerFamily[] = [
  ...network,
  ...blockIo,
  ...filesystems,
  ...tasks,
  ...pressure,
];
