import { useMemo } from "preact/hooks";
import { dayText } from "../state/format.ts";
import { AlertCards } from "./alert-cards.ts";
import { useAsked } from "./asked.ts";
import { ByHand } from "./by-hand.ts";
import { ChartPanel } from "./chart-panel.ts";
import { ExplainPanel } from "./explain-panel.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";
import { JobCard } from "./job-card.ts";
import { ReplicaTable } from "./replica-table.ts";
import { NONE_FIRING, type Shared } from "./shared.ts";
import { TimelineLines } from "./timeline-lines.ts";

const LOOK_EVERY_MS = 5_000;

interface Properties extends Shared {
  readonly id: string;
  /** Which decision is explained; absent: the newest. */
  readonly decisionAtMs: number | undefined;
}

/** All of one service. */
export function ServicePage({ world, api, link, firing, nowMs, id, decisionAtMs }: Properties) {
  const service = world.services?.get(id);
  const lastAtMs = service?.view.lastDecision?.atMs;
  const detail = useAsked(() => api.service(id), [id, service?.view.replicas.ready], LOOK_EVERY_MS);
  const decisions = useAsked(() => api.decisions(id), [id, lastAtMs, world.position?.epoch]);
  const lines = useMemo(
    () => world.timeline.filter((line) => line.service === id && !line.isQuiet).slice(0, 60),
    [world.timeline, id],
  );
  if (service === undefined) {
    return html`<p class="note">${world.services === undefined ? "Asking the daemon …" : html`There is no service ${id}. <a href="#/">All services</a>`}</p>`;
  }
  const { view } = service;
  const alerts = firing.get(id) ?? NONE_FIRING;
  return html`
    <div class="title">
      <a class="back" href="#/" aria-label="All services"><${Icon} name="back" size=${18} /></a>
      <h1>${view.name}</h1><span class="project">${view.project}</span>
      ${Object.entries(view.businessLabels).map(([key, value]) => html`<span class="label">${key}: ${value}</span>`)}
    </div>
    <div class="with-side">
      <div class="stack">
        ${alerts.length > 0 && html`<section aria-label="Alerts of this service"><${AlertCards} alerts=${alerts} api=${api} link=${link} nowMs=${nowMs} /></section>`}
        <${ChartPanel} service=${service} api=${api} decisions=${decisions.answer} alerts=${world.alerts} nowMs=${nowMs} />
        <${ReplicaTable} samples=${service.replicas} detail=${detail.answer} trouble=${detail.trouble} nowMs=${nowMs} />
        <${ExplainPanel} id=${id} api=${api} atMs=${decisionAtMs} lastAtMs=${lastAtMs} decisions=${decisions.answer} today=${dayText(nowMs)} />
      </div>
      <aside>
        ${service.job === undefined ? html`<${ByHand} view=${view} api=${api} link=${link} />` : html`<${JobCard} job=${service.job} today=${dayText(nowMs)} />`}
        <section class="card" aria-labelledby="service-timeline"><h2 id="service-timeline">What happened</h2>
          <${TimelineLines} lines=${lines} today=${dayText(nowMs)} of=${id} /></section>
      </aside>
    </div>`;
}
