import type { JobAnswer } from "../../../../core/wire-jobs.ts";
import { momentText } from "../state/format.ts";
import { jobSentence } from "../state/select.ts";
import { html } from "./html.ts";

/** When a job runs, and how it went. */
export function JobCard({ job, today }: { job: JobAnswer; today: string }) {
  const { nextDueAtMs, lastSuccessAtMs, active } = job;
  const moment = (atMs: number | undefined) => (atMs === undefined ? "not known" : momentText(atMs, today));
  return html`<section class="card" aria-labelledby="job">
    <h2 id="job">Job</h2>
    <p>${jobSentence(job)}</p>
    <p class="hint">Next: ${moment(nextDueAtMs)}. Last success: ${moment(lastSuccessAtMs)}.</p>
    <ul class="plain-list">
      ${active.map(({ id, name, state, tasks }) => html`<li key=${id}><div class="row"><strong>${name}</strong><span class="when">${state}, ${tasks.filter((task) => task.state === "succeeded").length} of ${tasks.length} tasks done</span></div></li>`)}
    </ul>
  </section>`;
}
