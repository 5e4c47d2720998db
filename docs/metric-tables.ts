import {
  CONTAINER_FAMILIES,
  type FamilyDescription,
  HOST_FAMILIES,
  OWN_FAMILIES,
} from "../collector/expose/families.ts";
import { code, table } from "./markdown.ts";

export function containerMetricTable(): string {
  return metricTable(CONTAINER_FAMILIES);
}

export function machineMetricTable(): string {
  return metricTable(HOST_FAMILIES);
}

export function collectorMetricTable(): string {
  return metricTable(OWN_FAMILIES);
}

function metricTable(families: readonly FamilyDescription[]): string {
  const rows = families.map(({ name, type, unit, labels, help }) => [
    code(name),
    type,
    unit,
    labels.map(code).join(" "),
    help,
  ]);
  return table(["metric", "type", "unit", "labels", "meaning"], rows);
}
