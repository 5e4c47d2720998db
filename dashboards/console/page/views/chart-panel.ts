import { useMemo, useState } from "preact/hooks";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../../core/units.ts";
import type { DecisionView } from "../../../../core/wire.ts";
import type { AlertView } from "../../../../core/wire-alerts.ts";
import type { Api } from "../link/api.ts";
import { percentText } from "../state/format.ts";
import { chartData } from "../state/series.ts";
import type { ServiceState } from "../state/world.ts";
import { useAsked } from "./asked.ts";
import { Chart, type ChartMarks } from "./chart.ts";
import { html } from "./html.ts";

const SPANS = [
  ["5m", 5 * MINUTE_MS],
  ["1h", HOUR_MS],
  ["6h", 6 * HOUR_MS],
  ["24h", DAY_MS],
] as const;

interface Properties {
  readonly service: ServiceState;
  readonly api: Api;
  readonly decisions: readonly DecisionView[] | undefined;
  readonly alerts: readonly AlertView[];
  readonly nowMs: number;
}

/** Load and replicas over time, with what was decided and what was wrong. */
export function ChartPanel({ service, api, decisions, alerts, nowMs }: Properties) {
  const [spanMs, setSpanMs] = useState<number>(SPANS[0][1]);
  const { id, autoscale, load, replicas } = service.view;
  const history = useAsked(() => api.history(id, Date.now() - spanMs), [id, spanMs], MINUTE_MS);
  const toMs = service.trail.at(-1)?.atMs ?? nowMs;
  const data = useMemo(
    () => chartData(history.answer?.minutes ?? [], service.trail, toMs - spanMs),
    [history.answer, service.trail, spanMs, toMs],
  );
  const marks = useMemo<ChartMarks>(
    () => ({
      cpuMax: autoscale?.maxCpuRatio,
      memoryMax: autoscale?.maxMemoryRatio,
      decisions: (decisions ?? []).map(({ atMs, from, to }) => ({ atMs, from, to })),
      alerts: alerts
        .filter(({ labels, firingAtMs }) => labels["service"] === id && firingAtMs !== undefined)
        .map(({ firingAtMs, resolvedAtMs, severity }) => ({
          fromMs: firingAtMs ?? 0,
          toMs: resolvedAtMs,
          severity,
        })),
    }),
    [autoscale, decisions, alerts, id],
  );
  const summary = `CPU ${percentText(load.cpuRatio)} %, memory ${percentText(load.memoryRatio)} %, ${replicas.ready} of ${replicas.desired} replicas ready`;
  return html`<section class="card chart-card" aria-labelledby="load">
    <div class="row"><h2 id="load">Load</h2>
      <ul class="legend"><li class="cpu">CPU</li><li class="memory">Memory</li><li class="replicas">Replicas</li><li class="threshold">Threshold</li></ul>
      <div class="chips" role="group" aria-label="How far back">
        ${SPANS.map(([word, ms]) => html`<button aria-pressed=${spanMs === ms} onClick=${() => setSpanMs(ms)}>${word}</button>`)}
      </div></div>
    <${Chart} data=${data} marks=${marks} fromMs=${toMs - spanMs} toMs=${toMs} summary=${summary} />
  </section>`;
}
