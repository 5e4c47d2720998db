import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import { variable } from "./queries.ts";

/** Whichever Prometheus is chosen above the board. */
export const DATASOURCE = { type: "prometheus", uid: variable("datasource") };

/** Names of units as Grafana knows them. */
export type Unit =
  | "short"
  | "none"
  | "percentunit"
  | "bytes"
  | "Bps"
  | "s"
  | "reqps"
  | "ops"
  | "cps"
  | "cores";

export interface Line {
  readonly expression: string;
  /** Names the series: words and `{{label}}`. */
  readonly legend: string;
  /** Dashed, without a fill: a bound or a threshold, not a reading. */
  readonly isBound?: true;
}

export interface PanelText {
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  /** Of 24 columns. */
  readonly width?: number;
  /** Above it the colour warns. */
  readonly warnAbove?: number;
  /** Below it the colour warns. */
  readonly warnBelow?: number;
}

const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;
const GREEN = "green";
const RED = "red";

/** Lines over time. */
export function graph(text: PanelText, ...lines: readonly Line[]): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .title(text.title)
    .description(text.description)
    .unit(grafanaUnit(text.unit))
    .min(0)
    .datasource(DATASOURCE)
    .height(GRAPH_HEIGHT)
    .span(text.width ?? 12)
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (text.warnAbove !== undefined) {
    panel
      .thresholds(thresholds(text))
      .thresholdsStyle(
        new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
      );
  }
  for (const [index, line] of lines.entries()) {
    panel.withTarget(target(index, line).range());
    if (line.isBound) {
      panel.overrideByQuery(refId(index), [
        { id: "custom.lineStyle", value: { fill: "dash", dash: [8, 6] } },
        { id: "custom.fillOpacity", value: 0 },
      ]);
    }
  }
  return panel;
}

/** One number: what it is now. */
export function figure(text: PanelText, expression: string): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(text.title)
    .description(text.description)
    .unit(grafanaUnit(text.unit))
    .datasource(DATASOURCE)
    .height(STAT_HEIGHT)
    .span(text.width ?? 4)
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .thresholds(thresholds(text))
    .withTarget(target(0, { expression, legend: "" }).instant());
}

/** Which of several states held when: a strip for each series, where its value is 1. */
export function strips(text: PanelText, line: Line): statetimeline.PanelBuilder {
  return new statetimeline.PanelBuilder()
    .title(text.title)
    .description(text.description)
    .unit(grafanaUnit(text.unit))
    .datasource(DATASOURCE)
    .height(GRAPH_HEIGHT)
    .span(text.width ?? 12)
    .showValue(common.VisibilityMode.Never)
    .mappings([
      {
        type: dashboard.MappingType.ValueToText,
        options: { "0": { text: "no", color: "transparent" }, "1": { text: "yes", color: "orange" } },
      },
    ])
    .legend(new common.VizLegendOptionsBuilder().showLegend(false))
    .withTarget(target(0, line).range());
}

function target(index: number, { expression, legend }: Line): prometheus.DataqueryBuilder {
  const query = new prometheus.DataqueryBuilder().refId(refId(index)).datasource(DATASOURCE).expr(expression);
  return legend === "" ? query : query.legendFormat(legend);
}

function refId(index: number): string {
  return String.fromCharCode("A".charCodeAt(0) + index);
}

/** Grafana has no unit for cores; a word after `suffix:` is shown as it is. */
function grafanaUnit(unit: Unit): string {
  return unit === "cores" ? "suffix: cores" : unit;
}

function thresholds({ warnAbove, warnBelow }: PanelText): dashboard.ThresholdsConfigBuilder {
  const steps =
    warnBelow === undefined
      ? [
          { value: null, color: GREEN },
          ...(warnAbove === undefined ? [] : [{ value: warnAbove, color: RED }]),
        ]
      : [
          { value: null, color: RED },
          { value: warnBelow, color: GREEN },
        ];
  return new dashboard.ThresholdsConfigBuilder().mode(dashboard.ThresholdsMode.Absolute).steps(steps);
}
