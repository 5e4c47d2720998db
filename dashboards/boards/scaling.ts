import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { businessLabelChoices, choice, finished, newBoard, scalingMarks } from "./board.ts";
import { figure, graph, strips } from "./panels.ts";
import { CHOSEN_SERVICES, ofChosen, SAME_SERVICE } from "./queries.ts";

const SERVICE = 'service="$service"';
const ONE_RULE = "on (job, instance, service, metric)";

/** Why a service has as many replicas as it has: load against thresholds, what the rules ask for, and what limits it. */
export function scalingBoard(): dashboard.Dashboard {
  const board = newBoard(
    "flyball-scaling",
    "Flyball / Scaling",
    "Why a service has as many replicas as it has: its load against the thresholds of its rules, what they ask for, and what limits it.",
  );
  for (const variable of businessLabelChoices()) board.withVariable(variable);
  board
    .withVariable(
      choice("service", "Service", 'label_values(flyball_service_labels{$label=~"$value"}, service)'),
    )
    .annotation(scalingMarks(SERVICE));
  for (const panel of figures()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("$service"));
  for (const panel of oneService()) board.withPanel(panel);
  board.withRow(new dashboard.RowBuilder("All services of the chosen $label"));
  for (const panel of allServices()) board.withPanel(panel);
  return finished(board);
}

function figures() {
  const count = (family: string, more = "") => `sum(flyball_${family}{${SERVICE}${more}})`;
  return [
    figure(
      { title: "Desired", description: "Replicas that there should be.", unit: "none" },
      count("service_replicas", ', state="desired"'),
    ),
    figure(
      { title: "Wanted", description: "Replicas that the rules ask for, before any limit.", unit: "none" },
      count("service_replicas_wanted"),
    ),
    figure(
      { title: "Min", description: "The fewest replicas that there may be.", unit: "none" },
      count("service_replicas_bound", ', bound="min"'),
    ),
    figure(
      { title: "Max", description: "The most replicas that there may be.", unit: "none" },
      count("service_replicas_bound", ', bound="max"'),
    ),
    figure(
      { title: "Scaled out", description: "Times in the shown span.", unit: "none" },
      `round(sum(increase(flyball_scalings_total{${SERVICE}, direction="out"}[$__range])))`,
    ),
    figure(
      { title: "Scaled in", description: "Times in the shown span.", unit: "none" },
      `round(sum(increase(flyball_scalings_total{${SERVICE}, direction="in"}[$__range])))`,
    ),
  ];
}

function oneService() {
  const threshold = (bound: string) => `flyball_rule_threshold{${SERVICE}, bound="${bound}"}`;
  const ofMax = (expression: string) => `${expression} / ${ONE_RULE} ${threshold("max")}`;
  return [
    graph(
      {
        title: "Replicas",
        description:
          "Replicas that are ready and that there should be, beside what the rules ask for before any limit; dashed: the bounds. The marks are the rules' decisions.",
        unit: "none",
      },
      { expression: `flyball_service_replicas{${SERVICE}, state=~"desired|ready"}`, legend: "{{state}}" },
      { expression: `flyball_service_replicas_wanted{${SERVICE}}`, legend: "wanted" },
      { expression: `flyball_service_replicas_bound{${SERVICE}}`, legend: "{{bound}}", isBound: true },
    ),
    graph(
      {
        title: "Load against thresholds",
        description:
          "What each rule reads, as a share of its upper threshold: above 100 % it asks for more replicas. Dashed: its lower threshold, where it has one.",
        unit: "percentunit",
        warnAbove: 1,
      },
      { expression: ofMax(`flyball_rule_level{${SERVICE}}`), legend: "{{metric}}" },
      { expression: ofMax(threshold("min")), legend: "{{metric}} in below", isBound: true },
    ),
    graph(
      {
        title: "What each rule asks for",
        description: "Replicas that each rule asks for by itself; the highest counts.",
        unit: "none",
      },
      { expression: `flyball_rule_replicas_asked{${SERVICE}}`, legend: "{{metric}}" },
    ),
    graph(
      {
        title: "CPU against its threshold",
        description:
          "What the replicas use of the CPU that they may use, on average; dashed: the thresholds of the rule.",
        unit: "percentunit",
      },
      { expression: `flyball_rule_level{${SERVICE}, metric="cpu"}`, legend: "CPU" },
      {
        expression: `flyball_rule_threshold{${SERVICE}, metric="cpu"}`,
        legend: "{{bound}}",
        isBound: true,
      },
    ),
    strips(
      {
        title: "Limits",
        description:
          "What changed the count that the rules asked for: bounds, the pause after a scale-out, the window before a scale-in, no room.",
        unit: "none",
      },
      { expression: `flyball_service_limit{${SERVICE}}`, legend: "{{limit}}" },
    ),
    strips(
      {
        title: "Mode",
        description: "live: decisions are done. shadow, paused: they are only told.",
        unit: "none",
      },
      { expression: `flyball_service_autoscale_mode{${SERVICE}}`, legend: "{{mode}}" },
    ),
  ];
}

function allServices() {
  return [
    graph(
      {
        title: "Replicas against max",
        description: "Replicas that there should be, as a share of the most that there may be.",
        unit: "percentunit",
        warnAbove: 1,
      },
      {
        expression: ofChosen(
          `flyball_service_replicas{state="desired"} / ${SAME_SERVICE} flyball_service_replicas_bound{bound="max"}`,
        ),
        legend: "{{service}}",
      },
    ),
    graph(
      {
        title: "Load against thresholds",
        description: "What the busiest rule of each service reads, as a share of its upper threshold.",
        unit: "percentunit",
        warnAbove: 1,
      },
      {
        expression: ofChosen(
          `max by (job, instance, service) (flyball_rule_level / ${ONE_RULE} flyball_rule_threshold{bound="max"})`,
        ),
        legend: "{{service}}",
      },
    ),
    graph(
      {
        title: "Decisions",
        description: "Changes of a count by rules, in ten minutes.",
        unit: "none",
      },
      {
        expression: `sum by (service, direction) (increase(flyball_scalings_total[10m]) and ${SAME_SERVICE} ${CHOSEN_SERVICES})`,
        legend: "{{service}} {{direction}}",
      },
    ),
    graph(
      {
        title: "Limited",
        description: "Services whose count is another than their rules ask for, by what changed it.",
        unit: "none",
      },
      { expression: `sum by (limit) (${ofChosen("flyball_service_limit")})`, legend: "{{limit}}" },
    ),
  ];
}
