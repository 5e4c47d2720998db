import { momentText } from "../state/format.ts";
import { serviceHref } from "../state/place.ts";
import type { Happening } from "../state/timeline.ts";
import { html } from "./html.ts";
import { Icon, type IconName } from "./icons.ts";
import { memo } from "./memo.ts";

/** Newest first; a decision leads to what explains it. */
export const TimelineLines = memo(
  ({ lines, today, of }: { lines: readonly Happening[]; today: string; of?: string }) => {
    if (lines.length === 0) return html`<p class="none">Nothing has happened yet.</p>`;
    return html`<ol class="timeline">
      ${lines.map((line) => html`<${Line} key=${line.key} line=${line} today=${today} of=${of} />`)}
    </ol>`;
  },
);

const Line = memo(({ line, today, of }: { line: Happening; today: string; of: string | undefined }) => {
  const { kind, tone, service, text, detail, atMs } = line;
  const time = new Date(atMs);
  const isNamed = service !== undefined && service !== of && !text.includes(service);
  return html`<li class=${`${kind} ${tone}`}>
    <${Icon} name=${iconOf(line)} size=${14} />
    <div>${isNamed && html`<a class="service" href=${serviceHref(service)}>${service}</a> `}${linked(line)}
      ${detail !== undefined && html`<span class="detail">${detail}</span>`}</div>
    <time datetime=${time.toISOString()}>${momentText(atMs, today)}</time>
  </li>`;
});

/** A decision leads to what explains it; an alert, and whatever else names its service, to the service. */
function linked({ kind, service, text, atMs }: Happening) {
  if (service === undefined) return text;
  if (kind === "decision") return html`<a href=${serviceHref(service, atMs)}>${text}</a>`;
  return text.includes(service) ? html`<a href=${serviceHref(service)}>${text}</a>` : text;
}

function iconOf({ kind, tone }: Happening): IconName {
  if (kind === "decision") return tone === "out" ? "out" : tone === "in" ? "in" : "quiet";
  if (tone === "good") return "good";
  return kind;
}
