import { useEffect, useMemo, useRef } from "preact/hooks";
import { countText, dayText } from "../state/format.ts";
import { type Choice, chosen, FILTERS, type Filter, SORTS, type Sort } from "../state/select.ts";
import { AlertLines } from "./alert-lines.ts";
import { html } from "./html.ts";
import { Icon } from "./icons.ts";
import type { Shared } from "./shared.ts";
import { TileGrid } from "./tile-grid.ts";
import { TimelineLines } from "./timeline-lines.ts";

const FILTER_WORDS: Readonly<Record<Filter, string>> = {
  all: "All",
  hot: "Hot",
  alerting: "Alerting",
  moving: "Changing",
  held: "Not scaled",
};
const SORT_WORDS: Readonly<Record<Sort, string>> = { name: "name", load: "load", replicas: "replicas" };
const LATEST = 40;

interface Properties extends Shared {
  readonly choice: Choice;
  readonly onChoice: (choice: Choice) => void;
}

/** A tile for each service; beside them, where there is room, what is wrong and what happened last. */
export function ServicesPage({ world, firing, choice, onChoice, nowMs }: Properties) {
  const { services, alerts, timeline } = world;
  const shown = useMemo(
    () => (services === undefined ? [] : chosen(services.values(), firing, choice)),
    [services, firing, choice],
  );
  const lately = useMemo(() => timeline.filter(({ isQuiet }) => !isQuiet).slice(0, LATEST), [timeline]);
  const active = useMemo(() => alerts.filter(({ state }) => state !== "resolved"), [alerts]);
  return html`<div class="with-side">
    <section aria-labelledby="services">
      <h1 id="services" class="sr">Services</h1>
      <${Tools} choice=${choice} onChoice=${onChoice} shown=${shown.length} all=${services?.size ?? 0} />
      ${
        services === undefined
          ? html`<p class="note">Asking the daemon …</p>`
          : services.size === 0
            ? html`<p class="note">Nothing runs yet. <code>flyball up -f compose.yaml</code> starts a project; its services appear here.</p>`
            : shown.length === 0
              ? html`<p class="note">No service is like that.</p>`
              : html`<${TileGrid} services=${shown} firing=${firing} figuresAtMs=${world.figuresAtMs} />`
      }
    </section>
    <aside>
      <section aria-labelledby="side-alerts" class="card">
        <h2 id="side-alerts">Alerts</h2>
        <${AlertLines} alerts=${active} nowMs=${nowMs} />
      </section>
      <section aria-labelledby="side-timeline" class="card">
        <h2 id="side-timeline">Lately <a href="#/timeline">all</a></h2>
        <${TimelineLines} lines=${lately} today=${dayText(nowMs)} />
      </section>
    </aside>
  </div>`;
}

function Tools({
  choice,
  onChoice,
  shown,
  all,
}: Pick<Properties, "choice" | "onChoice"> & { shown: number; all: number }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isTyping =
        event.target instanceof HTMLElement && /^(?:INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  const type = (event: Event) => onChoice({ ...choice, text: (event.target as HTMLInputElement).value });
  return html`<div class="tools">
    <label class="search"><span class="sr">Find services by name, project or label</span><${Icon} name="search" />
      <input ref=${field} type="search" placeholder="Find: name, project, team:checkout" value=${choice.text} onInput=${type} />
      <kbd aria-hidden="true">/</kbd>
    </label>
    <div class="chips" role="group" aria-label="Which services">
      ${FILTERS.map(
        (filter) =>
          html`<button aria-pressed=${choice.filter === filter} onClick=${() => onChoice({ ...choice, filter })}>${FILTER_WORDS[filter]}</button>`,
      )}
    </div>
    <label class="sort">Sort by
      <select value=${choice.sort} onChange=${(event: Event) => onChoice({ ...choice, sort: (event.target as HTMLSelectElement).value as Sort })}>
        ${SORTS.map((sort) => html`<option value=${sort}>${SORT_WORDS[sort]}</option>`)}
      </select>
    </label>
    <span class="shown" role="status">${shown === all ? countText(all, "service") : `${shown} of ${countText(all, "service")}`}</span>
  </div>`;
}
