import { BUSINESS_PREFIX } from "../../core/business-labels.ts";
import type { Discovered } from "../discover/discovered.ts";

/** Which of a container's labels are shown, under which names, and how many. */
export interface LabelRules {
  /** Keys that are shown as `container_label_<key>`. */
  readonly allowed: ReadonlySet<string>;
  /** Keys that are shown under a name of their own: `com.example.team` as `team`. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly maxLabels: number;
  /** In UTF-16 code units; what is longer is cut. */
  readonly maxValueLength: number;
  /** Of one label, over all containers at one time; what comes after is shown without it. */
  readonly maxValuesPerLabel: number;
}

/** What boards filter and group by. */
const DEFAULT_ALLOWED = [
  "com.docker.compose.project",
  "com.docker.compose.service",
  "com.docker.compose.project.working_dir",
  "com.docker.compose.container-number",
  "com.docker.stack.namespace",
  "com.docker.swarm.node.id",
  "com.docker.swarm.service.name",
  "com.docker.swarm.task.name",
  "org.label-schema.group",
];

const DEFAULTS = { maxLabels: 32, maxValueLength: 256, maxValuesPerLabel: 2_000 };

export interface LabelSettings {
  /** Further keys to show as `container_label_<key>`. */
  readonly allowed?: readonly string[];
  /** Key of a container's label → name of the label that is shown. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly maxLabels?: number;
  readonly maxValueLength?: number;
  readonly maxValuesPerLabel?: number;
}

export function labelRules({ allowed = [], renamed = {}, ...limits }: LabelSettings = {}): LabelRules {
  return {
    ...DEFAULTS,
    ...limits,
    allowed: new Set([...DEFAULT_ALLOWED, ...allowed]),
    renamed: new Map(Object.entries(renamed)),
  };
}

export interface Label {
  readonly name: string;
  readonly value: string;
}

/** Why a label is not shown as it is. `cut` is shown in part, the others not at all. */
export type LabelProblem = "name" | "reserved" | "collision" | "cut" | "too many labels" | "too many values";

export interface ShownLabels {
  readonly labels: readonly Label[];
  readonly problems: readonly { readonly key: string; readonly problem: LabelProblem }[];
}

const CONTAINER_LABEL_PREFIX = "container_label_";
/** What a series or a scraper says already. */
const RESERVED = new Set([
  "id",
  "image",
  "name",
  "job",
  "instance",
  "le",
  "quantile",
  "cpu",
  "device",
  "failure_type",
  "fstype",
  "interface",
  "mode",
  "mountpoint",
  "operation",
  "reason",
  "scope",
  "state",
  "ulimit",
  "volume",
]);

/**
 * The labels of a container that are shown beside its id, image and name: `business.<name>` first, then what is
 * renamed, then what is allowed. In the order of their keys, so that of two that clash the same one stays each time.
 */
export function shownLabels(container: Discovered, rules: LabelRules): ShownLabels {
  const labels = new Map<string, string>();
  const problems: { key: string; problem: LabelProblem }[] = [];
  for (const { key, name, value } of wanted(container.labels, rules)) {
    const cleaned = cleanLabelName(name);
    const shown = cutText(value.toWellFormed(), rules.maxValueLength);
    // An empty value is the same as no label.
    if (shown === "") continue;
    const problem = problemOf(cleaned, labels, rules);
    if (problem !== undefined || cleaned === undefined) {
      problems.push({ key, problem: problem ?? "name" });
      continue;
    }
    if (shown.length < value.length) problems.push({ key, problem: "cut" });
    labels.set(cleaned, shown);
  }
  return { labels: Array.from(labels, ([name, value]) => ({ name, value })), problems };
}

function problemOf(
  name: string | undefined,
  taken: ReadonlyMap<string, string>,
  rules: LabelRules,
): LabelProblem | undefined {
  if (name === undefined) return "name";
  if (RESERVED.has(name)) return "reserved";
  if (taken.has(name)) return "collision";
  return taken.size >= rules.maxLabels ? "too many labels" : undefined;
}

interface WantedLabel {
  readonly key: string;
  readonly name: string;
  readonly value: string;
}

function wanted(labels: Discovered["labels"], { allowed, renamed }: LabelRules): WantedLabel[] {
  const [business, mapped, plain]: [WantedLabel[], WantedLabel[], WantedLabel[]] = [[], [], []];
  for (const [key, value] of Object.entries(labels).sort(byKey)) {
    const name = renamed.get(key);
    if (key.startsWith(BUSINESS_PREFIX)) {
      business.push({ key, name: key.slice(BUSINESS_PREFIX.length), value });
    } else if (name !== undefined) mapped.push({ key, name, value });
    if (allowed.has(key)) plain.push({ key, name: `${CONTAINER_LABEL_PREFIX}${key}`, value });
  }
  return [...business, ...mapped, ...plain];
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : Number(a > b);
}

/** As Prometheus wants a label's name: `cost-center` becomes `cost_center`; undefined when nothing is left. */
function cleanLabelName(text: string): string | undefined {
  const name = text
    .replace(/[^a-zA-Z0-9_]/gu, "_")
    // Names that begin with two are Prometheus' own.
    .replace(/^__+/u, "_")
    .replace(/^(?=\d)/u, "_");
  return /[a-zA-Z0-9]/u.test(name) ? name : undefined;
}

/** Never between the halves of a character outside the basic plane. */
function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}
