import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT_IN } from "../alerts/rules/built-in.ts";
import { BUSINESS_PREFIX } from "../core/business-labels.ts";
import { ERRORS } from "../core/errors.ts";
import { LABELS } from "../core/labels.ts";
import { formatDuration } from "../core/units.ts";
import { supportTable } from "../orchestrator/compose/support.ts";
import { daemonMetricTable } from "./daemon-metric-table.ts";
import { code, table } from "./markdown.ts";
import { collectorMetricTable, containerMetricTable, machineMetricTable } from "./metric-tables.ts";
import { routeTable } from "./route-table.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * Which page holds which generated parts. `npm run docs` writes them between their markers, and a test asserts that
 * what is committed is what would be written now.
 */
const PAGES: Readonly<Record<string, readonly (keyof typeof PARTS)[]>> = {
  "README.md": ["labels"],
  "docs/labels.md": ["labels"],
  "docs/alerts.md": ["alertRules"],
  "docs/api.md": ["routes"],
  "docs/compose.md": ["composeExceptions", "composeKeys"],
  "docs/errors.md": ["errors"],
  "docs/metrics.md": ["containerMetrics", "machineMetrics", "collectorMetrics", "daemonMetrics"],
};

const PARTS = {
  labels: labelTable,
  alertRules: alertRuleTable,
  routes: routeTable,
  errors: errorTable,
  composeExceptions: composeExceptionTable,
  composeKeys: composeKeyTable,
  containerMetrics: containerMetricTable,
  machineMetrics: machineMetricTable,
  collectorMetrics: collectorMetricTable,
  daemonMetrics: daemonMetricTable,
} as const;

export interface Page {
  /** From the root of the project. */
  readonly path: string;
  readonly committed: string;
  readonly generated: string;
}

/** Every page with generated parts: as it is, and as it should be. */
export function pages(): Page[] {
  return Object.entries(PAGES).map(([path, parts]) => {
    const committed = readFileSync(join(ROOT, path), "utf8");
    const generated = parts.reduce((text, part) => withPart(text, part, PARTS[part](), path), committed);
    return { path, committed, generated };
  });
}

/** The text with what stands between the part's markers replaced. Throws when they are not there once each. */
export function withPart(text: string, part: string, content: string, path: string): string {
  const [start, end] = [`<!-- generated: ${part} -->`, "<!-- /generated -->"];
  const [before, after, ...more] = text.split(start);
  const endAt = after?.indexOf(end) ?? -1;
  if (before === undefined || after === undefined || more.length > 0 || endAt === -1) {
    throw new Error(`expected ${start} once in ${path}, with ${end} after it`);
  }
  return `${before}${start}\n\n${content}\n\n${after.slice(endAt)}`;
}

function labelTable(): string {
  const rows = Object.values(LABELS).map(({ key, aliases, meaning, defaultText, example }) => [
    [key, ...aliases].map(code).join("<br>"),
    meaning,
    // What has several words is a sentence, not a value.
    defaultText === "none" ? "" : defaultText.includes(" ") ? defaultText : code(defaultText),
    code(`${key}: ${JSON.stringify(example)}`),
  ]);
  const business = [
    code(`${BUSINESS_PREFIX}<name>`),
    "a Prometheus label of the service, on `flyball_service_labels`",
    "",
    code(`${BUSINESS_PREFIX}team: "checkout"`),
  ];
  return table(["label", "meaning", "default", "example"], [...rows, business]);
}

function alertRuleTable(): string {
  const rows = BUILT_IN.map(({ name, meaning, severity, forMs }) => [
    code(name),
    severity,
    meaning,
    forMs === 0 ? "at once" : formatDuration(forMs),
  ]);
  return table(["rule", "severity", "when", "for"], rows);
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([name, { meaning, status, exit }]) => [
    code(name),
    meaning,
    String(status),
    String(exit),
  ]);
  return table(["code", "meaning", "HTTP status", "exit status"], rows);
}

/** The keys that are warned about or refused, with the reason. */
function composeExceptionTable(): string {
  const rows = supportTable().flatMap(({ path, level, reason }) =>
    level === "supported" ? [] : [[code(path), level, reason ?? ""]],
  );
  return table(["key", "", "why"], rows);
}

/** The keys that are read, gathered under what they stand in. */
function composeKeyTable(): string {
  const supported = supportTable().filter(({ level }) => level === "supported");
  const byParent = Map.groupBy(supported, ({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("."))));
  const rows = Array.from(byParent, ([parent, keys]) => [
    parent === "" ? "the file" : code(parent),
    keys.map(({ path }) => code(path.slice(path.lastIndexOf(".") + 1))).join(" "),
  ]);
  return table(["under", "keys"], rows);
}

if (import.meta.main) {
  for (const { path, committed, generated } of pages()) {
    if (generated === committed) continue;
    writeFileSync(join(ROOT, path), generated);
    process.stdout.write(`${path}\n`);
  }
}
