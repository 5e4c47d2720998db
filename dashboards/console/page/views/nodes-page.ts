import { ageText, bytesText, coresText, countText } from "../state/format.ts";
import { serviceHref } from "../state/place.ts";
import type { Sums } from "../state/select.ts";
import type { ReplicaSample, ServiceState } from "../state/world.ts";
import { html } from "./html.ts";
import { memo } from "./memo.ts";
import type { Shared } from "./shared.ts";

/** Where replicas run, and all of them at a glance. */
export function NodesPage({ world, sums, nowMs }: Shared & { sums: Sums }) {
  const { readiness, services } = world;
  const observedAtMs = readiness?.observedAtMs;
  return html`<section aria-labelledby="nodes">
    <h1 id="nodes">Nodes</h1>
    <div class="card node">
      <h2><i class=${`dot ${readiness?.ready ? "good" : "bad"}`}></i>${readiness?.engine ?? "Asking the daemon …"}</h2>
      <dl class="facts">
        <div><dt>Replicas ready</dt><dd>${sums.replicasReady}<span class="of"> / ${sums.replicasDesired}</span></dd></div>
        <div><dt>CPU in use</dt><dd>${coresText(sums.cpuCores)}<span class="of"> cores</span></dd></div>
        <div><dt>Memory in use</dt><dd>${bytesText(sums.memoryBytes)}</dd></div>
        <div><dt>Collector</dt><dd>${readiness?.collector ?? "–"}</dd></div>
        <div><dt>Engine looked at</dt><dd>${observedAtMs === undefined ? "never" : `${ageText(Math.max(0, nowMs - observedAtMs))} ago`}</dd></div>
      </dl>
    </div>
    <div class="card"><h2>Replicas</h2>
      <p class="hint legend"><i class="cell l0"></i>idle <i class="cell l2"></i>half of its CPU <i class="cell l4"></i>all of it <i class="cell waits"></i>not ready <i class="cell failed"></i>failed</p>
      <ul class="map">${[...(services?.values() ?? [])].map((service) => html`<${ServiceRow} key=${service.view.id} service=${service} />`)}</ul>
    </div>
  </section>`;
}

const ServiceRow = memo(({ service: { view, replicas } }: { service: ServiceState }) => {
  const { load } = view;
  // What a replica may use is told as the level of the mean one.
  const capacityCores =
    load.cpuCores !== undefined && load.cpuRatio ? load.cpuCores / load.cpuRatio : undefined;
  return html`<li><a href=${serviceHref(view.id)}>${view.name}<span class="project">${view.project}</span></a>
    <span class="cells" role="img" aria-label=${`${countText(replicas.length, "replica")}, ${view.replicas.ready} ready`}>
      ${replicas.map((replica) => html`<i key=${replica.id} class=${`cell ${levelOf(replica, capacityCores)}`} title=${titleOf(replica)}></i>`)}
    </span></li>`;
});

const WAITS: ReadonlySet<ReplicaSample["state"]> = new Set([
  "created",
  "starting",
  "restarting",
  "stopping",
  "paused",
]);

function levelOf({ state, cpuCores }: ReplicaSample, capacityCores: number | undefined): string {
  if (WAITS.has(state)) return "waits";
  if (state !== "running") return "failed";
  if (cpuCores === undefined || capacityCores === undefined) return "l0";
  return `l${Math.max(0, Math.min(4, Math.round((cpuCores / capacityCores) * 4)))}`;
}

function titleOf({ slot, state, cpuCores, memoryWorkingSetBytes }: ReplicaSample): string {
  return `#${slot} ${state}, ${coresText(cpuCores)} cores, ${bytesText(memoryWorkingSetBytes)}`;
}
