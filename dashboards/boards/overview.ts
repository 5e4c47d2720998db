import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { businessLabelChoices, finished, newBoard, scalingMarks } from "./board.ts";
import { figure, graph } from "./panels.ts";
import { byLabel, CHOSEN_SERVICES, ofChosen, rate, SAME_SERVICE } from "./queries.ts";

const MACHINE_CPU = `1 - avg by (instance) (${rate('node_cpu_seconds_total{mode="idle"}')})`;
const MACHINE_MEMORY = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes";

/** All services at a glance, by business label, and the machines below them. */
export function overviewBoard(): dashboard.Dashboard {
  const board = newBoard(
    "flyball-overview",
    "Flyball / Overview",
    "All services by a business label: replicas, load and requests, and the machines that they run on.",
  );
  for (const variable of businessLabelChoices()) board.withVariable(variable);
  board.annotation(scalingMarks(""));
  for (const panel of figures()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Services"));
  for (const panel of services()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Machines"));
  for (const panel of machines()) board.withPanel(panel);
  return finished(board);
}

function figures() {
  const replicas = (state: string) => `flyball_service_replicas{state="${state}"}`;
  return [
    figure(
      { title: "Services", description: "Services that Flyball looks after.", unit: "none" },
      `count(${CHOSEN_SERVICES})`,
    ),
    figure(
      { title: "Replicas ready", description: "Replicas that run and are ready.", unit: "none" },
      `sum(${ofChosen(replicas("ready"))})`,
    ),
    figure(
      {
        title: "Replicas missing",
        description: "Replicas that should be ready and are not: starting, unhealthy or without room.",
        unit: "none",
        warnAbove: 1,
      },
      `sum(clamp_min((${replicas("desired")} - ${SAME_SERVICE} ${replicas("ready")}) and ${SAME_SERVICE} ${CHOSEN_SERVICES}, 0))`,
    ),
    figure(
      {
        title: "Services at max",
        description: "Services that have as many replicas as their rules may ever give them.",
        unit: "none",
        warnAbove: 1,
      },
      `sum((${replicas("desired")} >= bool ${SAME_SERVICE} flyball_service_replicas_bound{bound="max"}) and ${SAME_SERVICE} ${CHOSEN_SERVICES})`,
    ),
    figure(
      {
        title: "Decisions in an hour",
        description: "Changes of a count by rules, in the last hour.",
        unit: "none",
      },
      `round(sum(increase(flyball_scalings_total[1h]) and ${SAME_SERVICE} ${CHOSEN_SERVICES}))`,
    ),
    figure(
      {
        title: "CPU of the busiest machine",
        description: "Share of all CPUs that is not idle.",
        unit: "percentunit",
        warnAbove: 0.9,
      },
      `max(${MACHINE_CPU})`,
    ),
  ];
}

function services() {
  const load = (resource: string) => `flyball_service_load_ratio{resource="${resource}"}`;
  return [
    graph(
      {
        title: "Replicas by $label",
        description: "Replicas that are ready, for each value of the chosen business label.",
        unit: "none",
      },
      { expression: byLabel('flyball_service_replicas{state="ready"}'), legend: "{{$label}}" },
    ),
    graph(
      {
        title: "Requests by $label",
        description: "Requests per second that the balancer took; of a tcp door, connections.",
        unit: "reqps",
      },
      { expression: byLabel(rate("flyball_traffic_requests_total")), legend: "{{$label}}" },
    ),
    graph(
      {
        title: "CPU of services",
        description: "What the ready replicas of each service use of the CPU that they may use, on average.",
        unit: "percentunit",
        warnAbove: 1,
      },
      { expression: ofChosen(load("cpu")), legend: "{{service}}" },
    ),
    graph(
      {
        title: "Memory of services",
        description:
          "Working set of the ready replicas of each service, as a share of their limit or reservation.",
        unit: "percentunit",
        warnAbove: 1,
      },
      { expression: ofChosen(load("memory")), legend: "{{service}}" },
    ),
    graph(
      {
        title: "Errors",
        description: "Share of the requests that were answered 5xx, or not at all.",
        unit: "percentunit",
      },
      {
        expression: ofChosen(
          `${rate("flyball_traffic_errors_total")} / ${SAME_SERVICE} ${rate("flyball_traffic_requests_total")}`,
        ),
        legend: "{{service}}",
      },
    ),
    graph(
      {
        title: "Latency at p95",
        description: "From the request to the head of the answer, as the balancer saw it.",
        unit: "s",
      },
      { expression: ofChosen("flyball_traffic_latency_p95_seconds"), legend: "{{service}}" },
    ),
  ];
}

function machines() {
  const network = (direction: string) =>
    `sum by (instance) (${rate(`node_network_${direction}_bytes_total{device!~"lo|veth.*|br-.*|docker.*"}`)})`;
  return [
    graph(
      {
        title: "CPU",
        description: "Share of all CPUs that is not idle.",
        unit: "percentunit",
        width: 6,
        warnAbove: 0.9,
      },
      { expression: MACHINE_CPU, legend: "{{instance}}" },
    ),
    graph(
      {
        title: "Memory",
        description: "Share of the memory that cannot be had without swapping.",
        unit: "percentunit",
        width: 6,
        warnAbove: 0.9,
      },
      { expression: MACHINE_MEMORY, legend: "{{instance}}" },
    ),
    graph(
      {
        title: "Disk",
        description: "Share of each filesystem that is used, for who is not root.",
        unit: "percentunit",
        width: 6,
        warnAbove: 0.9,
      },
      {
        expression: "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes",
        legend: "{{instance}} {{mountpoint}}",
      },
    ),
    graph(
      {
        title: "Network",
        description: "Bytes per second through the machine's own interfaces.",
        unit: "Bps",
        width: 6,
      },
      { expression: network("receive"), legend: "{{instance}} received" },
      { expression: network("transmit"), legend: "{{instance}} sent" },
    ),
  ];
}
