import { formatDuration } from "../../../../core/units.ts";
import type { ServiceDetail } from "../../../../core/wire.ts";
import { ageText, bytesText, coresText, UNKNOWN } from "../state/format.ts";
import type { ReplicaSample } from "../state/world.ts";
import { html } from "./html.ts";

interface Properties {
  readonly samples: readonly ReplicaSample[];
  readonly detail: ServiceDetail | undefined;
  readonly trouble: string | undefined;
  readonly nowMs: number;
}

/** One line for each replica: the figures of this second, beside what is known of it. */
export function ReplicaTable({ samples, detail, trouble, nowMs }: Properties) {
  const known = new Map(detail?.replicaList.map((replica) => [replica.id, replica]));
  const replicas = samples.length > 0 ? samples : (detail?.replicaList ?? []);
  const hasTraffic = samples.some(({ requestsPerSecond }) => requestsPerSecond !== undefined);
  return html`<section class="card" aria-labelledby="replicas">
    <h2 id="replicas">Replicas</h2>
    ${trouble !== undefined && html`<p class="trouble">${trouble}</p>`}
    ${detail?.holds.map((hold) => html`<p class="hold">${hold}</p>`)}
    ${
      replicas.length === 0
        ? html`<p class="none">There is none.</p>`
        : html`<div class="scrolls" tabindex="0" role="group" aria-label="Table of the replicas"><table>
        <thead><tr><th scope="col">Replica</th><th scope="col">State</th><th scope="col" class="number">CPU</th><th scope="col" class="number">Memory</th>
          ${hasTraffic && html`<th scope="col" class="number">Requests</th><th scope="col" class="number">p95</th>`}
          <th scope="col" class="number">Up</th><th scope="col">Answers at</th></tr></thead>
        <tbody>${replicas
          .toSorted((a, b) => a.slot - b.slot)
          .map((replica) => {
            const { id, slot, state, cpuCores, memoryWorkingSetBytes } = replica;
            const { requestsPerSecond, latencyMs }: Partial<ReplicaSample> = replica;
            const view = known.get(id);
            return html`<tr key=${id}><th scope="row">${view?.name ?? `#${slot}`}</th>
            <td><span class=${`state ${state}`}>${state}</span></td>
            <td class="number">${coresText(cpuCores)}</td><td class="number">${bytesText(memoryWorkingSetBytes)}</td>
            ${hasTraffic && html`<td class="number">${requestsPerSecond?.toFixed(1) ?? UNKNOWN}</td><td class="number">${latencyMs === undefined ? UNKNOWN : formatDuration(latencyMs)}</td>`}
            <td class="number">${view?.startedAtMs === undefined ? UNKNOWN : ageText(nowMs - view.startedAtMs)}</td>
            <td>${view?.endpoints.map(({ host, port, targetPort }) => `${host}:${port}→${targetPort}`).join(" ") || UNKNOWN}</td></tr>`;
          })}</tbody></table></div>`
    }
  </section>`;
}
