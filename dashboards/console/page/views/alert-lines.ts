import type { AlertView } from "../../../../core/wire-alerts.ts";
import { ageText } from "../state/format.ts";
import { html } from "./html.ts";
import { memo } from "./memo.ts";

const MOST = 12;
const WEIGHT = { critical: 0, warning: 1, info: 2 };

/** What is wrong, shortly; the page of alerts says more. */
export const AlertLines = memo(({ alerts, nowMs }: { alerts: readonly AlertView[]; nowMs: number }) => {
  if (alerts.length === 0) return html`<p class="none">Nothing is wrong.</p>`;
  const sorted = alerts.toSorted(
    (a, b) =>
      Number(a.state !== "firing") - Number(b.state !== "firing") || WEIGHT[a.severity] - WEIGHT[b.severity],
  );
  return html`<ul class="alert-lines">
    ${sorted.slice(0, MOST).map(
      ({
        id,
        severity,
        state,
        summary,
        suppressedBy,
        firingAtMs,
        pendingAtMs,
      }) => html`<li key=${id} class=${`${severity} ${state}`}>
        <a href="#/alerts"><i class="sr">${severity}, ${state}: </i>${summary}</a>
        <span class="when">${suppressedBy === undefined ? state : "quiet"} ${ageText(nowMs - (firingAtMs ?? pendingAtMs))}</span>
      </li>`,
    )}
    ${sorted.length > MOST && html`<li class="more"><a href="#/alerts">${sorted.length - MOST} more</a></li>`}
  </ul>`;
});
