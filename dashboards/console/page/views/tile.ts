import { formatBytes } from "../../../../core/units.ts";
import type { AlertView } from "../../../../core/wire-alerts.ts";
import { boundsText, percentText } from "../state/format.ts";
import { serviceHref } from "../state/place.ts";
import { conditionOf, jobSentence } from "../state/select.ts";
import { sparkPath } from "../state/series.ts";
import type { ServiceState, TrailPoint } from "../state/world.ts";
import { html } from "./html.ts";
import { memo } from "./memo.ts";

const SPARK = { width: 240, height: 44, length: 90 };
/** Of a drawing without a threshold: a service that idles is not shown as a mountain. */
const LOWEST_TOP = 0.5;
const CONDITION_WORDS = {
  down: "no replica is ready",
  alerting: "an alert fires",
  hot: "above its threshold",
  moving: "replicas are changing",
  held: "not scaled now",
  calm: "as it should be",
  empty: "no replica is wanted",
};

interface Properties {
  readonly service: ServiceState;
  readonly firing: readonly AlertView[];
  /** Its readings are not of now. */
  readonly isOld: boolean;
  readonly position: number;
  readonly count: number;
}

export const Tile = memo(({ service, firing, isOld, position, count }: Properties) => {
  const { id, name, project, load, autoscale } = service.view;
  const sentence = sentenceOf(service);
  const condition = conditionOf(service, firing);
  const [amount, unit] = formatBytes(load.memoryWorkingSetBytes ?? 0).split(" ");
  const worst = firing.some(({ severity }) => severity === "critical") ? "bad" : "warn";
  return html`<li class=${`tile ${condition} ${isOld ? "is-old" : ""}`} aria-posinset=${position} aria-setsize=${count}>
    <h2>
      <i class="dot" role="img" aria-label=${CONDITION_WORDS[condition]}></i>
      <a href=${serviceHref(id)}>${name}</a><span class="project">${project}</span>
      ${firing.length > 0 && html`<b class=${`count ${worst}`}>${firing.length}<i class="sr"> alerts</i></b>`}
      ${modeOf(service)}
    </h2>
    <dl>
      <${Level} name="CPU" ratio=${load.cpuRatio} max=${autoscale?.maxCpuRatio} kind="cpu" />
      ${
        load.memoryRatio === undefined && load.memoryWorkingSetBytes !== undefined
          ? html`<div class="memory"><dt>Memory</dt><dd>${amount}<span class="of"> ${unit}</span></dd></div>`
          : html`<${Level} name="Memory" ratio=${load.memoryRatio} max=${autoscale?.maxMemoryRatio} kind="memory" />`
      }
      <${Count} service=${service} />
    </dl>
    <${Spark} service=${service} />
    <p class="sentence" title=${sentence}>${sentence}</p>
  </li>`;
});

function Level({
  name,
  ratio,
  max,
  kind,
}: {
  name: string;
  ratio: number | undefined;
  max: number | undefined;
  kind: string;
}) {
  const isHot = ratio !== undefined && max !== undefined && ratio > max;
  return html`<div class=${kind}><dt>${name}</dt>
    <dd class=${isHot ? "hot" : ""}>${percentText(ratio)}${ratio !== undefined && html`<span class="of"> %</span>`}
      ${max !== undefined && html`<span class="of max" title="threshold">of ${percentText(max)}</span>`}</dd></div>`;
}

function Count({ service: { view, job } }: { service: ServiceState }) {
  const { ready, desired, min, max } = view.replicas;
  if (job !== undefined)
    return html`<div class="replicas"><dt>Runs now</dt><dd>${job.active.length}</dd></div>`;
  return html`<div class="replicas"><dt>Replicas</dt>
    <dd>${ready}${ready !== desired && html`<span class="to">→${desired}</span>`}<span class="of">${boundsText(min, max)}</span></dd></div>`;
}

function sentenceOf({ view: { autoscale, lastDecision }, job }: ServiceState): string {
  if (job !== undefined) return jobSentence(job);
  if (lastDecision !== undefined) return lastDecision.sentence;
  return autoscale === undefined ? "has no rule, and keeps its count" : "nothing was decided yet";
}

function modeOf({ view: { autoscale }, job }: ServiceState) {
  if (job !== undefined) return html`<span class="mode">job</span>`;
  if (autoscale === undefined) return null;
  const word = autoscale.dryRun ? "dry run" : autoscale.mode === "live" ? undefined : autoscale.mode;
  return word === undefined ? null : html`<span class="mode">${word}</span>`;
}

/** The last one and a half minutes, the threshold across them. */
function Spark({ service: { trail, view } }: { service: ServiceState }) {
  const { width, height } = SPARK;
  const max = view.autoscale?.maxCpuRatio;
  const cpu = trail.slice(-SPARK.length).map(({ cpuRatio }) => cpuRatio);
  const top = Math.max((max ?? LOWEST_TOP) * 1.2, ...trail.slice(-SPARK.length).flatMap(levelsOf)) * 1.04;
  const line = sparkPath(cpu, { ...SPARK, top });
  const memory = sparkPath(
    trail.map(({ memoryRatio }) => memoryRatio),
    { ...SPARK, top },
  );
  const y = max === undefined ? 0 : height - (max / top) * (height - 2) - 1;
  return html`<svg class="spark" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
    <path class="cpu-area" d=${areaOf(line, height)} />
    <path class="memory" d=${memory} />
    <path class="cpu" d=${line} />
    ${max !== undefined && html`<path class="threshold" d=${`M0 ${y.toFixed(1)}H${width}`} />`}
  </svg>`;
}

function levelsOf({ cpuRatio = 0, memoryRatio = 0 }: TrailPoint): readonly number[] {
  return [cpuRatio, memoryRatio];
}

/** Each piece of the line closed along the bottom. */
function areaOf(line: string, height: number): string {
  return line
    .split(/(?=M)/)
    .filter((piece) => piece.includes("L"))
    .map((piece) => {
      const points = piece.slice(1).split("L");
      const [from = "0 0", to = "0 0"] = [points[0], points.at(-1)];
      return `${piece}L${to.split(" ")[0]} ${height}L${from.split(" ")[0]} ${height}Z`;
    })
    .join("");
}
