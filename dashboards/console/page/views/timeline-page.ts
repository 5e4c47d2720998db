import { useMemo, useState } from "preact/hooks";
import { countText, dayText } from "../state/format.ts";
import type { HappeningKind } from "../state/timeline.ts";
import { html } from "./html.ts";
import type { Shared } from "./shared.ts";
import { TimelineLines } from "./timeline-lines.ts";

const KINDS: readonly (readonly [HappeningKind, string])[] = [
  ["decision", "Decisions"],
  ["action", "Actions"],
  ["alert", "Alerts"],
  ["hand", "By hand"],
  ["link", "Connection"],
];
const FIRST = 200;

/** Everything that happened, of every service. */
export function TimelinePage({ world, nowMs }: Shared) {
  const [hidden, setHidden] = useState<ReadonlySet<HappeningKind>>(new Set());
  const [withQuiet, setWithQuiet] = useState(false);
  const [most, setMost] = useState(FIRST);
  const lines = useMemo(
    () => world.timeline.filter(({ kind, isQuiet }) => !hidden.has(kind) && (withQuiet || !isQuiet)),
    [world.timeline, hidden, withQuiet],
  );
  const shown = useMemo(() => lines.slice(0, most), [lines, most]);
  const toggle = (kind: HappeningKind) => setHidden(hidden.symmetricDifference(new Set([kind])));
  return html`<section aria-labelledby="timeline" class="narrow">
    <h1 id="timeline">Timeline</h1>
    <div class="tools">
      <div class="chips" role="group" aria-label="What is shown">
        ${KINDS.map(([kind, word]) => html`<button aria-pressed=${!hidden.has(kind)} onClick=${() => toggle(kind)}>${word}</button>`)}
        <button aria-pressed=${withQuiet} title="Decisions that changed no count" onClick=${() => setWithQuiet(!withQuiet)}>Holds</button>
      </div>
      <span class="shown" role="status">${countText(lines.length, "line")}</span>
    </div>
    <div class="card"><${TimelineLines} lines=${shown} today=${dayText(nowMs)} /></div>
    ${lines.length > most && html`<button onClick=${() => setMost(most + FIRST)}>Show more</button>`}
  </section>`;
}
