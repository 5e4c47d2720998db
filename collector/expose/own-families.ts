import type { Family, Rows, Unit } from "./family.ts";
import { each, one } from "./family.ts";

/** What the collector tells of itself. */
export interface OwnFigures {
  readonly version: string;
  readonly kernelVersion: string;
  readonly osVersion: string;
  /** Of the engine, where it was asked. */
  readonly engineVersion: string;
  readonly cpuSeconds: number;
  readonly startedAtSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly openFiles: number | undefined;
  readonly containers: number;
  /** How many of the containers that should have been read at the last tick were not. */
  readonly missing: number;
  /** Labels that are not shown as they are, by the reason. */
  readonly labelProblems: ReadonlyMap<string, number>;
  readonly scrapes: number;
  readonly pageBytes: number;
  readonly pageSeconds: number;
  /** Of the other parts: shown as `flyball_collector_<name>`. */
  readonly others: Readonly<Record<string, number>>;
}

type OwnFamily = Family<OwnFigures>;

/** The figures of the other parts, which they hand over by these names. */
const OTHERS = {
  samples_total: "Samples read.",
  samples_missed_total: "Samples that could not be read.",
  round_seconds: "How long the last round of readings took.",
  late_seconds: "How late the last round began.",
  dropped_batches_total: "Batches that the daemon did not take in time.",
  remote_write_samples_total: "Samples that the receiver took.",
  remote_write_dropped_samples_total: "Samples that the receiver refused, or that were given up.",
  remote_write_waiting_bytes: "Bytes that wait to be sent.",
  application_scrapes_total: "Scrapes of the containers' own metrics.",
  application_scrapes_failed_total: "Scrapes of the containers' own metrics that failed.",
  application_series: "Series of the containers' own metrics that are kept.",
  application_dropped_series_total: "Series of the containers' own metrics that are over a limit.",
  application_conflicting_series:
    "Series left out of the last page of the containers' own metrics, as another container gives their family another type.",
  container_starts_total: "Starts of containers that the engine told of.",
  container_deaths_total: "Ends of containers that the engine told of.",
  container_ended_unseen_total: "Containers that had ended before they could be looked at.",
  container_oom_events_total: "Times that the engine told of a container without memory.",
  engine_up: "1 while the engine's containers are followed; 0: the list is as it was known last.",
  engine_list_age_seconds: "How long ago the engine's containers were last listed whole.",
  engine_stats_containers: "Containers read from the engine's stats, for want of their files.",
} as const;

/** A name of a figure that another part may hand over. */
export type FigureName = keyof typeof OTHERS;

export const OWN_FAMILIES: readonly OwnFamily[] = [
  own(
    "process_cpu_seconds_total",
    "counter",
    "seconds",
    "CPU time that the collector used.",
    one((own) => own.cpuSeconds),
  ),
  own(
    "process_start_time_seconds",
    "gauge",
    "seconds",
    "When the collector started, since 1970.",
    one((own) => own.startedAtSeconds),
  ),
  own(
    "process_resident_memory_bytes",
    "gauge",
    "bytes",
    "Resident memory of the collector.",
    one((own) => own.residentBytes),
  ),
  own(
    "process_open_fds",
    "gauge",
    "",
    "Open file descriptors of the collector.",
    one((own) => own.openFiles),
  ),
  own(
    "nodejs_heap_size_used_bytes",
    "gauge",
    "bytes",
    "Heap in use in the collector.",
    one((own) => own.heapBytes),
  ),
  {
    name: "flyball_collector_info",
    type: "gauge",
    unit: "",
    help: "Always 1; the versions of the collector and of what it runs on.",
    labels: ["version", "kernel_version", "os_version", "engine_version"],
    rows: info((own) => [own.version, own.kernelVersion, own.osVersion, own.engineVersion]),
  },
  {
    name: "cadvisor_version_info",
    type: "gauge",
    unit: "",
    help: "Always 1; the same under the name that boards know, with Flyball's own version.",
    labels: ["cadvisorRevision", "cadvisorVersion", "dockerVersion", "kernelVersion", "osVersion"],
    rows: info((own) => ["", `flyball ${own.version}`, own.engineVersion, own.kernelVersion, own.osVersion]),
  },
  own(
    "container_scrape_error",
    "gauge",
    "",
    "1 when some of the containers could not be read at the last tick.",
    one((own) => Number(own.missing > 0)),
  ),
  own(
    "flyball_collector_containers",
    "gauge",
    "",
    "Containers and processes on this page.",
    one((own) => own.containers),
  ),
  own(
    "flyball_collector_containers_missing",
    "gauge",
    "",
    "Containers that are known and could not be read at the last tick.",
    one((own) => own.missing),
  ),
  own(
    "flyball_collector_scrapes_total",
    "counter",
    "",
    "Pages given out.",
    one((own) => own.scrapes),
  ),
  own(
    "flyball_collector_page_bytes",
    "gauge",
    "bytes",
    "Length of the last page.",
    one((own) => own.pageBytes),
  ),
  own(
    "flyball_collector_page_seconds",
    "gauge",
    "seconds",
    "How long it took to write the last page.",
    one((own) => own.pageSeconds),
  ),
  {
    name: "flyball_collector_label_problems",
    type: "gauge",
    unit: "",
    help: "Labels of the containers on this page that are left out or cut, by the reason.",
    labels: ["reason"],
    rows: each(
      (own) => [...own.labelProblems],
      ([reason]) => [reason],
      ([, count]) => count,
    ),
  },
  ...Object.entries(OTHERS).map(([name, help]) =>
    own(
      `flyball_collector_${name}`,
      name.endsWith("_total") ? "counter" : "gauge",
      name.endsWith("_seconds") ? "seconds" : name.endsWith("_bytes") ? "bytes" : "",
      help,
      one(({ others }) => others[name]),
    ),
  ),
];

function own(
  name: string,
  type: OwnFamily["type"],
  unit: Unit,
  help: string,
  rows: Rows<OwnFigures>,
): OwnFamily {
  return { name, type, unit, help, labels: [], rows };
}

function info(labels: (own: OwnFigures) => readonly string[]): Rows<OwnFigures> {
  return { count: () => 1, labels, value: () => 1, varies: true };
}
