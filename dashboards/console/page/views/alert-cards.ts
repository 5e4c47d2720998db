import { useState } from "preact/hooks";
import { HOUR_MS, MINUTE_MS } from "../../../../core/units.ts";
import type { AlertView } from "../../../../core/wire-alerts.ts";
import { type Api, troubleText } from "../link/api.ts";
import type { DaemonLink } from "../link/daemon-link.ts";
import { rememberedPerson, rememberPerson } from "../link/session.ts";
import { ageText } from "../state/format.ts";
import { serviceHref } from "../state/place.ts";
import { html } from "./html.ts";

const SPANS = [
  [30 * MINUTE_MS, "30 minutes"],
  [2 * HOUR_MS, "2 hours"],
  [8 * HOUR_MS, "8 hours"],
  [24 * HOUR_MS, "a day"],
  [7 * 24 * HOUR_MS, "a week"],
] as const;

interface Doing {
  readonly api: Api;
  readonly link: DaemonLink;
  readonly nowMs: number;
}

export function AlertCards({ alerts, ...doing }: Doing & { alerts: readonly AlertView[] }) {
  return html`<ul class="alerts">${alerts.map((alert) => html`<${AlertCard} key=${alert.id} alert=${alert} ...${doing} />`)}</ul>`;
}

/** What is wrong and what to do about it; and to say that one knows, or not to be told. */
function AlertCard({ alert, api, link, nowMs }: Doing & { alert: AlertView }) {
  const { severity, state, summary, advice, labels, acknowledged, suppressedBy } = alert;
  const [isOpen, setOpen] = useState(false);
  const service = labels["service"];
  const sinceMs = alert.resolvedAtMs ?? alert.firingAtMs ?? alert.pendingAtMs;
  return html`<li class=${`alert ${severity} ${state}`}>
    <div class="row"><span class="severity">${severity}</span><span class="when">${state} for ${ageText(nowMs - sinceMs)}</span>
      ${suppressedBy !== undefined && html`<span class="mode">${suppressedBy}</span>`}</div>
    <h2>${summary}</h2>
    <p>${advice}</p>
    <div class="labels">${Object.entries(labels).map(([name, value]) =>
      name === "service"
        ? html`<a class="label" href=${serviceHref(value)}>${name}: ${value}</a>`
        : html`<span class="label">${name}: ${value}</span>`,
    )}</div>
    ${acknowledged !== undefined && html`<p class="hint">${acknowledged.by} knows${acknowledged.comment === "" ? "" : `: ${acknowledged.comment}`}</p>`}
    ${state !== "resolved" && html`<div class="row"><button aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>Acknowledge or silence<span class="sr"> ${labels["alertname"]} ${service}</span></button></div>`}
    ${isOpen && html`<${QuietForm} alert=${alert} api=${api} link=${link} onDone=${() => setOpen(false)} />`}
  </li>`;
}

function QuietForm({
  alert,
  api,
  link,
  onDone,
}: Omit<Doing, "nowMs"> & { alert: AlertView; onDone: () => void }) {
  const [by, setBy] = useState(rememberedPerson());
  const [comment, setComment] = useState("");
  const [spanMs, setSpanMs] = useState<number>(SPANS[1][0]);
  const [trouble, setTrouble] = useState("");
  const act = async (work: () => Promise<unknown>) => {
    if (by.trim() === "") return setTrouble("Who are you? Whoever looks next wants to know.");
    rememberPerson(by.trim());
    try {
      await work();
      await link.changed();
      onDone();
    } catch (error) {
      setTrouble(troubleText(error));
    }
  };
  const acknowledge = (event: Event) => {
    event.preventDefault();
    void act(() => api.acknowledge(alert.id, { by: by.trim(), comment }));
  };
  const silence = () =>
    void act(() => {
      const matchers = Object.entries(alert.labels)
        .filter(([name]) => name !== "severity")
        .map(([name, value]) => ({ name, value, isEqual: true, isRegex: false }));
      return api.silence({ matchers, endsAtMs: Date.now() + spanMs, author: by.trim(), comment });
    });
  return html`<form class="quiet-form fields" onSubmit=${acknowledge}>
    <label>Your name<input autocomplete="name" maxlength="200" value=${by} onInput=${(event: Event) => setBy((event.target as HTMLInputElement).value)} /></label>
    <label>Comment<input maxlength="2000" value=${comment} onInput=${(event: Event) => setComment((event.target as HTMLInputElement).value)} /></label>
    <div class="row">
      <button class="main">Acknowledge until it resolves</button>
      <span class="joined"><button type="button" onClick=${silence}>Silence for</button><select aria-label="How long" value=${spanMs}
        onChange=${(event: Event) => setSpanMs(Number((event.target as HTMLSelectElement).value))}>${SPANS.map(([ms, words]) => html`<option value=${ms}>${words}</option>`)}</select></span>
    </div>
    <p class="trouble" role="alert">${trouble}</p>
  </form>`;
}
