import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { finished, newBoard } from "./board.ts";
import { figure, graph } from "./panels.ts";
import { ofCollectors, ofDaemons, rate } from "./queries.ts";

const DAEMON = "daemon {{instance}}";
const COLLECTOR = "collector {{instance}}";

/** Flyball itself: whether it looks, decides and acts in time, and what that costs. */
export function flyballBoard(): dashboard.Dashboard {
  const board = newBoard(
    "flyball-itself",
    "Flyball / Itself",
    "Flyball itself: whether it reads, decides and acts in time, and what that costs.",
  );
  for (const panel of figures()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Cost"));
  for (const panel of cost()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Daemon"));
  for (const panel of daemon()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Alerts"));
  for (const panel of alerts()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Collector"));
  for (const panel of collector()) board.withPanel(panel);
  return finished(board);
}

function figures() {
  return [
    figure(
      { title: "Daemons", description: "Daemons that answer.", unit: "none", warnBelow: 1 },
      `sum(${ofDaemons("up")})`,
    ),
    figure(
      { title: "Collectors", description: "Collectors that answer.", unit: "none", warnBelow: 1 },
      `sum(${ofCollectors("up")})`,
    ),
    figure(
      { title: "Containers", description: "Containers and processes that are read.", unit: "none" },
      "sum(flyball_collector_containers)",
    ),
    figure(
      {
        title: "Not readable",
        description: "Containers that are known and could not be read at the last tick.",
        unit: "none",
        warnAbove: 1,
      },
      "sum(flyball_collector_containers_missing)",
    ),
    figure(
      {
        title: "Collector restarts",
        description: "How often a daemon had to start its collector again.",
        unit: "none",
        warnAbove: 1,
      },
      "sum(flyball_collector_restarts)",
    ),
    figure(
      { title: "Up for", description: "Since the daemon that started last did.", unit: "s" },
      `time() - max(${ofDaemons("process_start_time_seconds")})`,
    ),
  ];
}

function cost() {
  const both = (expression: string) => [
    { expression: ofDaemons(expression), legend: DAEMON },
    { expression: ofCollectors(expression), legend: COLLECTOR },
  ];
  return [
    graph(
      { title: "CPU", description: "Cores that Flyball uses.", unit: "cores", width: 8 },
      ...both(rate("process_cpu_seconds_total")),
    ),
    graph(
      { title: "Memory", description: "Resident memory of Flyball.", unit: "bytes", width: 8 },
      ...both("process_resident_memory_bytes"),
    ),
    graph(
      { title: "Open files", description: "File descriptors that Flyball has open.", unit: "none", width: 8 },
      ...both("process_open_fds"),
    ),
  ];
}

function daemon() {
  return [
    graph(
      {
        title: "Evaluations",
        description: "How often the rules of services are looked at, per second; once for each in a second.",
        unit: "ops",
      },
      {
        expression: `sum by (job, instance) (${rate("flyball_evaluations_total")})`,
        legend: DAEMON,
      },
    ),
    graph(
      {
        title: "Engine calls",
        description: "What was asked of the engine, per second, by kind and by how it ended.",
        unit: "ops",
      },
      {
        expression: `sum by (kind, outcome) (${rate("flyball_actions_total")})`,
        legend: "{{kind}} {{outcome}}",
      },
    ),
    graph(
      {
        title: "Event loop lag at p99",
        description: "How late the daemon is for what it wants to do: readings, decisions and answers wait.",
        unit: "s",
      },
      { expression: ofDaemons("nodejs_eventloop_lag_p99_seconds"), legend: DAEMON },
    ),
    graph(
      {
        title: "Batches from the collector",
        description:
          "Batches of readings that were taken, per second: one, while all is well. Those that were given up are a count.",
        unit: "ops",
      },
      { expression: rate("flyball_sample_batches_total"), legend: "taken by {{instance}}" },
      { expression: "flyball_collector_dropped_batches", legend: "given up for {{instance}}" },
    ),
  ];
}

function alerts() {
  return [
    graph(
      { title: "Alerts", description: "Alerts that are pending, and those that fire.", unit: "none" },
      { expression: "sum by (severity, state) (flyball_alerts)", legend: "{{severity}} {{state}}" },
    ),
    graph(
      {
        title: "Held back",
        description: "Replicas and services that are left as they are though they are not as desired.",
        unit: "none",
      },
      { expression: `sum(flyball_service_holds) or 0 * sum(${ofDaemons("up")})`, legend: "held back" },
    ),
    graph(
      {
        title: "Notifications",
        description:
          "What became of notifications, per second, by channel. Those that failed are tried again; dropped and dead ones nobody was told of.",
        unit: "ops",
      },
      {
        expression: `sum by (channel, result) (${rate("flyball_alert_notifications_total")})`,
        legend: "{{channel}} {{result}}",
      },
      {
        expression: `sum by (channel) (${rate("flyball_alert_attempts_failed_total")})`,
        legend: "{{channel}} failed",
      },
    ),
    graph(
      {
        title: "Notifications that wait",
        description: "In the outbox, by channel: what cannot be delivered now is tried again.",
        unit: "none",
      },
      { expression: "sum by (channel) (flyball_outbox_pending)", legend: "{{channel}}" },
    ),
  ];
}

function collector() {
  return [
    graph(
      {
        title: "Readings",
        description: "Samples read, and those that could not be, per second.",
        unit: "ops",
      },
      { expression: rate("flyball_collector_samples_total"), legend: "read by {{instance}}" },
      { expression: rate("flyball_collector_samples_missed_total"), legend: "missed by {{instance}}" },
    ),
    graph(
      {
        title: "Rounds",
        description: "How long a round of readings takes, and how late it begins.",
        unit: "s",
      },
      { expression: "flyball_collector_round_seconds", legend: "takes {{instance}}" },
      { expression: "flyball_collector_late_seconds", legend: "late {{instance}}" },
    ),
    graph(
      {
        title: "Pages",
        description: "How long it takes to write a page of metrics.",
        unit: "s",
      },
      { expression: "flyball_collector_page_seconds", legend: COLLECTOR },
    ),
    graph(
      {
        title: "Clock",
        description:
          "How far the clock of the collector's node is from the daemon's; right to within half of the round trip.",
        unit: "s",
      },
      { expression: "abs(flyball_collector_clock_offset_seconds)", legend: "apart, {{instance}}" },
      { expression: "flyball_collector_round_trip_seconds", legend: "round trip, {{instance}}" },
    ),
  ];
}
