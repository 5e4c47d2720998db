import { useState } from "preact/hooks";
import type { ScaleRequest, ServiceView } from "../../../../core/wire.ts";
import { type Api, troubleText } from "../link/api.ts";
import type { DaemonLink } from "../link/daemon-link.ts";
import { boundsText, timeText } from "../state/format.ts";
import { html } from "./html.ts";

/** How long the rules leave a count alone that a person chose. */
const HOLDS = [
  ["", "until the rules want another"],
  ["10m", "for 10 minutes"],
  ["30m", "for 30 minutes"],
  ["1h", "for an hour"],
  ["4h", "for 4 hours"],
  ["1d", "for a day"],
] as const;

const MODES = [
  ["live", "Live", "its rules scale it"],
  ["shadow", "Shadow", "its rules decide, and nothing is done"],
  ["paused", "Paused", "nothing is decided"],
] as const;

interface Properties {
  readonly view: ServiceView;
  readonly api: Api;
  readonly link: DaemonLink;
}

interface Told {
  readonly text: string;
  readonly isTrouble: boolean;
}

/** What a person may do to a service: another count, or leave its rules out of it. */
export function ByHand({ view, api, link }: Properties) {
  const [told, setTold] = useState<Told>();
  const [isBusy, setBusy] = useState(false);
  const act = async (work: () => Promise<string>) => {
    setBusy(true);
    try {
      setTold({ text: await work(), isTrouble: false });
    } catch (error) {
      setTold({ text: troubleText(error), isTrouble: true });
    }
    setBusy(false);
    await link.changed();
  };
  return html`<section class="card by-hand" aria-labelledby="by-hand">
    <h2 id="by-hand">By hand</h2>
    <${ScaleForm} view=${view} isBusy=${isBusy} onScale=${(request: ScaleRequest) => void act(() => scaled(api, view.id, request))} />
    ${
      view.autoscale !== undefined &&
      html`<div class="modes" role="group" aria-label="What the rules do">
      ${MODES.map(
        ([
          mode,
          word,
          meaning,
        ]) => html`<button title=${meaning} disabled=${isBusy} aria-pressed=${view.autoscale?.mode === mode}
          onClick=${() => void act(async () => `now ${(await api.setAutoscale(view.id, mode)).mode}: ${meaning}`)}>${word}</button>`,
      )}
    </div>`
    }
    <p class=${`told ${told?.isTrouble ? "trouble" : ""}`} role="status">${told?.text}</p>
  </section>`;
}

async function scaled(api: Api, id: string, request: ScaleRequest): Promise<string> {
  const { from, to, heldUntilMs } = await api.scale(id, request);
  const held = heldUntilMs === undefined ? "" : `, held until ${timeText(heldUntilMs)}`;
  return from === to ? `stays at ${to}${held}` : `${from} → ${to}${held}`;
}

function ScaleForm({
  view,
  isBusy,
  onScale,
}: {
  view: ServiceView;
  isBusy: boolean;
  onScale: (request: ScaleRequest) => void;
}) {
  const { desired, min, max } = view.replicas;
  const [wanted, setWanted] = useState<number>();
  const [reason, setReason] = useState("");
  const [hold, setHold] = useState("");
  const count = wanted ?? desired;
  const within = (value: number) => Math.min(max ?? 100_000, Math.max(min ?? 0, value));
  const submit = (event: Event) => {
    event.preventDefault();
    onScale({
      replicas: count,
      ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
      ...(hold === "" ? {} : { for: hold }),
    });
    setWanted(undefined);
  };
  return html`<form class="fields" onSubmit=${submit}>
    <div class="stepper">
      <button type="button" aria-label="One fewer" onClick=${() => setWanted(within(count - 1))}>−</button>
      <label><span class="sr">Replicas</span>
        <input type="number" min=${min ?? 0} max=${max} required value=${count}
          onInput=${(event: Event) => setWanted((event.target as HTMLInputElement).valueAsNumber)} /></label>
      <button type="button" aria-label="One more" onClick=${() => setWanted(within(count + 1))}>+</button>
      <span class="of">${boundsText(min, max)}</span>
      <button class="main" disabled=${isBusy || Number.isNaN(count)}>Scale</button>
    </div>
    <label>Reason<input maxlength="500" placeholder="why, for who reads it later" value=${reason}
      onInput=${(event: Event) => setReason((event.target as HTMLInputElement).value)} /></label>
    ${
      view.autoscale !== undefined &&
      html`<label>Keep it<select value=${hold} onChange=${(event: Event) => setHold((event.target as HTMLSelectElement).value)}>
      ${HOLDS.map(([value, words]) => html`<option value=${value}>${words}</option>`)}
    </select></label>`
    }
  </form>`;
}
