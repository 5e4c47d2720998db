import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCE } from "./panels.ts";

/** What every board has: its address, the choice of a Prometheus, and links to the other boards. */
export function newBoard(uid: string, title: string, description: string): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["flyball"])
    .readonly()
    .refresh("10s")
    .time({ from: "now-1h", to: "now" })
    .timezone("browser")
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder("Flyball")
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags(["flyball"])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(
      new dashboard.DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"),
    );
}

/** A variable whose choices are values that Prometheus knows. */
export function choice(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(query)
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

/**
 * The choice of a business label, and of its values. `service` is always among the labels, so that there is one where
 * nobody has given any.
 */
export function businessLabelChoices(): dashboard.QueryVariableBuilder[] {
  return [
    choice("label", "Business label", "label_names(flyball_service_labels)").regex(
      "/^(?!__name__$|job$|instance$).*/",
    ),
    choice("value", "Value", "label_values(flyball_service_labels, $label)")
      .multi(true)
      .includeAll(true)
      .allValue(".*"),
  ];
}

/** Each change of a count by the rules, at its time; `selector` says of which services. */
export function scalingMarks(selector: string): dashboard.AnnotationQueryBuilder {
  const changes = `flyball_scalings_total{${selector}}`;
  return (
    new dashboard.AnnotationQueryBuilder()
      .name("Decisions")
      .datasource(DATASOURCE)
      .enable(true)
      .iconColor("blue")
      // One step back, whatever the step: a change between two steps is seen by the later one, and by no other.
      .expr(`${changes} - (${changes} offset $__interval) > 0`)
      .step("15s")
      .titleFormat("{{service}} scaled {{direction}}")
      .textFormat("the rules changed its count")
      .tagKeys("service,direction")
  );
}

/**
 * The board as Grafana reads it: each panel has a number of its own, which links and annotations name it by, and links
 * and annotations stand above the board, not in a menu.
 */
export function finished(builder: dashboard.DashboardBuilder): dashboard.Dashboard {
  const board = builder.build();
  const panels = (board.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }));
  const annotations = { list: (board.annotations?.list ?? []).map(inSight) };
  return { ...board, id: null, version: 1, panels, links: (board.links ?? []).map(inSight), annotations };
}

function inSight<T extends { placement?: unknown }>({ placement: _, ...rest }: T): Omit<T, "placement"> {
  return rest;
}
