import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { choice, finished, newBoard, scalingMarks } from "./board.ts";
import { figure, graph } from "./panels.ts";
import { rate, variable } from "./queries.ts";

/** The service on the daemon's page. */
const SERVICE = `service="${variable("project")}_${variable("service_name")}"`;
/** Its containers, or processes, on the collector's. */
const REPLICAS =
  'container_label_com_docker_compose_project="$project", container_label_com_docker_compose_service="$service_name"';
const BY_REPLICA = "{{name}}";

/** One service and each of its replicas. */
export function serviceBoard(): dashboard.Dashboard {
  const board = newBoard(
    "flyball-service",
    "Flyball / Service",
    "One service: its replicas, its requests, and what each replica uses.",
  )
    .withVariable(choice("project", "Project", "label_values(flyball_service_info, project)"))
    .withVariable(
      choice("service_name", "Service", 'label_values(flyball_service_info{project="$project"}, name)'),
    )
    .annotation(scalingMarks(SERVICE));
  for (const panel of figures()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("Service"));
  for (const panel of wholeService()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("CPU and memory of each replica"));
  for (const panel of cpuAndMemory()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("The rest of each replica"));
  for (const panel of rest()) board.withPanel(panel);
  return finished(board);
}

function figures() {
  const replicas = (state: string) => `sum(flyball_service_replicas{${SERVICE}, state="${state}"})`;
  return [
    figure(
      { title: "Ready", description: "Replicas that run and are ready.", unit: "none", warnBelow: 1 },
      replicas("ready"),
    ),
    figure(
      { title: "Desired", description: "Replicas that there should be.", unit: "none" },
      replicas("desired"),
    ),
    figure(
      {
        title: "CPU",
        description: "What the ready replicas use of the CPU that they may use, on average.",
        unit: "percentunit",
        warnAbove: 1,
      },
      `avg(flyball_service_load_ratio{${SERVICE}, resource="cpu"})`,
    ),
    figure(
      {
        title: "Memory",
        description: "Working set of the ready replicas, as a share of their limit or reservation.",
        unit: "percentunit",
        warnAbove: 0.9,
      },
      `avg(flyball_service_load_ratio{${SERVICE}, resource="memory"})`,
    ),
    figure(
      { title: "Requests", description: "Requests per second that the balancer took.", unit: "reqps" },
      `sum(rate(flyball_traffic_requests_total{${SERVICE}}[$__rate_interval]))`,
    ),
    figure(
      {
        title: "p95",
        description: "From the request to the head of the answer, as the balancer saw it last.",
        unit: "s",
      },
      `max(last_over_time(flyball_traffic_latency_p95_seconds{${SERVICE}}[$__range]))`,
    ),
  ];
}

function wholeService() {
  const traffic = (family: string) => `flyball_traffic_${family}{${SERVICE}}`;
  return [
    graph(
      {
        title: "Replicas",
        description: "Replicas that there should be, that run, and that are ready; dashed: the bounds.",
        unit: "none",
      },
      { expression: `flyball_service_replicas{${SERVICE}}`, legend: "{{state}}" },
      { expression: `flyball_service_replicas_bound{${SERVICE}}`, legend: "{{bound}}", isBound: true },
    ),
    graph(
      {
        title: "Requests and errors",
        description:
          "Requests per second that the balancer took, and those of them that were answered 5xx, or not at all.",
        unit: "reqps",
      },
      { expression: rate(traffic("requests_total")), legend: "requests" },
      { expression: rate(traffic("errors_total")), legend: "errors" },
    ),
    graph(
      {
        title: "Latency at p95",
        description: "From the request to the head of the answer, over the last seconds.",
        unit: "s",
      },
      { expression: traffic("latency_p95_seconds"), legend: "p95" },
    ),
    graph(
      {
        title: "Under way",
        description:
          "Requests and connections that are under way, and those of them that wait for a replica.",
        unit: "none",
      },
      { expression: traffic("open"), legend: "open" },
      { expression: traffic("queued"), legend: "waiting" },
    ),
  ];
}

function cpuAndMemory() {
  const cpu = (family: string) => rate(`container_cpu_${family}{${REPLICAS}}`);
  return [
    graph(
      { title: "CPU", description: "Cores that each replica uses.", unit: "cores" },
      { expression: cpu("usage_seconds_total"), legend: BY_REPLICA },
    ),
    graph(
      {
        title: "Held back",
        description:
          "Share of the enforcement periods of its CPU limit that held a replica back. Empty where there is no limit.",
        unit: "percentunit",
      },
      {
        expression: `${cpu("cfs_throttled_periods_total")} / ${cpu("cfs_periods_total")}`,
        legend: BY_REPLICA,
      },
    ),
    graph(
      {
        title: "Memory",
        description:
          "Memory in use without the file cache that the kernel would give up first; dashed: the limit, where there is one.",
        unit: "bytes",
      },
      { expression: `container_memory_working_set_bytes{${REPLICAS}}`, legend: BY_REPLICA },
      {
        expression: `max(container_spec_memory_limit_bytes{${REPLICAS}} > 0)`,
        legend: "limit",
        isBound: true,
      },
    ),
    graph(
      {
        title: "Memory of the limit",
        description: "Working set divided by the memory limit. Empty where there is no limit.",
        unit: "percentunit",
        warnAbove: 0.9,
      },
      { expression: `flyball_container_memory_limit_ratio{${REPLICAS}}`, legend: BY_REPLICA },
    ),
  ];
}

function rest() {
  return [
    graph(
      {
        title: "Network",
        description: "Bytes per second. Empty for replicas that are processes, or on the host's network.",
        unit: "Bps",
        width: 8,
      },
      {
        expression: rate(`container_network_receive_bytes_total{${REPLICAS}}`),
        legend: `${BY_REPLICA} received`,
      },
      {
        expression: rate(`container_network_transmit_bytes_total{${REPLICAS}}`),
        legend: `${BY_REPLICA} sent`,
      },
    ),
    graph(
      { title: "Threads", description: "Threads of each replica.", unit: "none", width: 8 },
      { expression: `container_threads{${REPLICAS}}`, legend: BY_REPLICA },
    ),
    graph(
      {
        title: "Ran out of memory",
        description: "Processes that the kernel killed for want of memory, in the last ten minutes.",
        unit: "none",
        width: 8,
        warnAbove: 1,
      },
      { expression: `increase(container_oom_events_total{${REPLICAS}}[10m])`, legend: BY_REPLICA },
    ),
  ];
}
