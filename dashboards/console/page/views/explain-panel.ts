import { useEffect } from "preact/hooks";
import type { DecisionView } from "../../../../core/wire.ts";
import type { Api } from "../link/api.ts";
import { countText, levelText, momentText } from "../state/format.ts";
import { serviceHref } from "../state/place.ts";
import { useAsked } from "./asked.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";

interface Properties {
  readonly id: string;
  readonly api: Api;
  /** Absent: the newest decision is explained. */
  readonly atMs: number | undefined;
  readonly lastAtMs: number | undefined;
  readonly decisions: readonly DecisionView[] | undefined;
  readonly today: string;
}

const NOW_EVERY_MS = 3_000;

/** Why a decision was made as it was, and the changes to choose one from. */
export function ExplainPanel({ id, api, atMs, lastAtMs, decisions, today }: Properties) {
  const isNow = atMs === undefined;
  const { answer, trouble } = useAsked(
    () => api.explain(id, atMs),
    [id, atMs, lastAtMs],
    isNow ? NOW_EVERY_MS : undefined,
  );
  const decision = answer?.decision;
  useEffect(() => {
    if (!isNow) document.querySelector("#explain")?.scrollIntoView({ block: "nearest" });
  }, [atMs, isNow]);
  return html`<section class="card explain" aria-labelledby="explain">
    <h2 id="explain">${isNow ? "Why it is as it is" : `Why, at ${momentText(atMs, today)}`} ${!isNow && html`<a href=${serviceHref(id)}>now</a>`}</h2>
    ${trouble !== undefined && html`<p class="trouble">${trouble}</p>`}
    ${decision !== undefined && html`<p class="big-sentence">${decision.sentence}</p>`}
    ${decision !== undefined && decision.verdicts.length > 0 && html`<${Verdicts} decision=${decision} />`}
    ${decision !== undefined && html`<${Steps} decision=${decision} />`}
    <details open=${decision === undefined}><summary>All of it, line by line</summary><pre tabindex="0">${answer?.lines.join("\n")}</pre></details>
    <h3>Changes of the count</h3>
    ${
      decisions === undefined || decisions.length === 0
        ? html`<p class="none">Its rules have not changed it.</p>`
        : html`<ol class="timeline changes">${decisions.map(
            (
              change,
            ) => html`<li key=${change.atMs} class=${`decision ${change.to > change.from ? "out" : "in"}`}>
            <${Icon} name=${change.to > change.from ? "out" : "in"} size=${14} />
            <div><a href=${serviceHref(id, change.atMs)} aria-current=${change.atMs === atMs ? "true" : undefined}>${change.sentence}</a></div>
            <time datetime=${new Date(change.atMs).toISOString()}>${momentText(change.atMs, today)}</time></li>`,
          )}</ol>`
    }
  </section>`;
}

const WANTS = { out: "more", in: "fewer", hold: "as many", unknown: "knows nothing" };

function Verdicts({ decision }: { decision: DecisionView }) {
  return html`<div class="scrolls" tabindex="0" role="group" aria-label="What each rule said"><table>
    <thead><tr><th scope="col">Rule</th><th scope="col" class="number">Level</th><th scope="col" class="number">More above</th><th scope="col" class="number">Fewer below</th><th scope="col">Wants</th><th scope="col" class="number">Asks for</th><th scope="col">Read on</th></tr></thead>
    <tbody>${decision.verdicts.map(
      ({ metric, level, max, min, wants, asksFor, replicasRead, replicasServing }) => html`<tr>
        <th scope="row">${metric}</th><td class="number">${levelText(metric, level)}</td><td class="number">${levelText(metric, max)}</td>
        <td class="number">${levelText(metric, min)}</td><td><span class=${`wants ${wants}`}>${WANTS[wants]}</span></td>
        <td class="number">${asksFor}</td><td>${replicasRead} of ${countText(replicasServing, "replica")}</td></tr>`,
    )}</tbody></table></div>`;
}

/** From what the rules wanted to what was done, limit by limit. */
function Steps({ decision: { from, wanted, to, limits } }: { decision: DecisionView }) {
  return html`<ol class="steps" aria-label="From what was wanted to what was done">
    <li><b>${from}</b> there were</li><li><b>${wanted}</b> the rules want</li>
    ${limits.map((limit) => html`<li class="limit"><b>${limit.to}</b> ${limit.limit}</li>`)}
    <li class="end"><b>${to}</b> it is</li></ol>`;
}
