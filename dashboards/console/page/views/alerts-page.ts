import { useState } from "preact/hooks";
import type { ChannelView, SilenceView } from "../../../../core/wire-alerts.ts";
import { troubleText } from "../link/api.ts";
import { ageText, countText, dayText, momentText } from "../state/format.ts";
import { AlertCards } from "./alert-cards.ts";
import { html } from "./html.ts";
import type { Shared } from "./shared.ts";

const WEIGHT = { firing: 0, pending: 1, resolved: 2 };
const SEVERITY = { critical: 0, warning: 1, info: 2 };

/** What is wrong, what is kept quiet, and who is told. */
export function AlertsPage({ world, api, link, nowMs }: Shared) {
  const sorted = world.alerts.toSorted(
    (a, b) => WEIGHT[a.state] - WEIGHT[b.state] || SEVERITY[a.severity] - SEVERITY[b.severity],
  );
  const active = sorted.filter(({ state }) => state !== "resolved");
  const over = sorted.filter(({ state }) => state === "resolved");
  const silences = world.silences.filter(({ state }) => state !== "expired");
  return html`<div class="with-side">
    <section aria-labelledby="alerts">
      <h1 id="alerts">Alerts</h1>
      ${active.length === 0 ? html`<p class="note">Nothing is wrong.</p>` : html`<${AlertCards} alerts=${active} api=${api} link=${link} nowMs=${nowMs} />`}
      ${over.length > 0 && html`<h2>Over</h2><${AlertCards} alerts=${over} api=${api} link=${link} nowMs=${nowMs} />`}
    </section>
    <aside>
      <section class="card" aria-labelledby="silences"><h2 id="silences">Silences</h2>
        ${silences.length === 0 && html`<p class="none">Nothing is kept quiet.</p>`}
        <ul class="plain-list">${silences.map(
          (silence) =>
            html`<${Silence} key=${silence.id} silence=${silence} today=${dayText(nowMs)} onEnd=${async () => {
              await api.endSilence(silence.id);
              await link.changed();
            }} />`,
        )}</ul></section>
      <section class="card" aria-labelledby="channels"><h2 id="channels">Who is told</h2>
        ${world.channels.length === 0 && html`<p class="none">Nobody but who looks here: the configuration names no channel.</p>`}
        <ul class="plain-list">${world.channels.map((channel) => html`<${Channel} key=${channel.name} channel=${channel} nowMs=${nowMs} />`)}</ul></section>
    </aside>
  </div>`;
}

function Silence({
  silence,
  today,
  onEnd,
}: {
  silence: SilenceView;
  today: string;
  onEnd: () => Promise<void>;
}) {
  const { matchers, author, comment, endsAtMs, alerts, state } = silence;
  const [trouble, setTrouble] = useState("");
  const end = () => void onEnd().catch((error: unknown) => setTrouble(troubleText(error)));
  return html`<li>
    <code>${matchers.map(({ name, value, isEqual, isRegex }) => `${name}${isEqual ? "=" : "!"}${isRegex ? "~" : isEqual ? "" : "="}${JSON.stringify(value)}`).join(" ")}</code>
    <p class="hint">${author}${comment === "" ? "" : `: ${comment}`}</p>
    <div class="row"><span class="when">${state === "pending" ? "later, " : ""}until ${momentText(endsAtMs, today)}, ${countText(alerts, "alert")}</span><button onClick=${end}>End it</button></div>
    ${trouble !== "" && html`<p class="trouble" role="alert">${trouble}</p>`}
  </li>`;
}

function Channel({ channel, nowMs }: { channel: ChannelView; nowMs: number }) {
  const { name, kind, waiting, trouble, failingSinceMs } = channel;
  return html`<li><div class="row"><strong>${name}</strong><span class="when">${kind}${waiting > 0 ? `, ${waiting} waiting` : ""}</span></div>
    ${failingSinceMs !== undefined && html`<p class="trouble">fails since ${ageText(nowMs - failingSinceMs)}: ${trouble}</p>`}</li>`;
}
