import { formatDuration } from "../../../../core/units.ts";
import { ageText } from "../state/format.ts";
import type { World } from "../state/world.ts";
import { html } from "./html.ts";

/** Figures that come each second, and have not for so long, are said to be old. */
const OLD_MS = 5_000;

/** What is wrong with what is shown: nothing, or that it is old, and how old. */
export function Banner({ world, nowMs }: { world: World; nowMs: number }) {
  const { link, figuresHeardAtMs, readiness } = world;
  const ageMs = figuresHeardAtMs === undefined ? undefined : nowMs - figuresHeardAtMs;
  const age = ageMs === undefined ? "" : ` The figures are ${ageText(ageMs)} old.`;
  if (link.state === "lost") {
    const waitMs = link.retryAtMs === undefined ? 0 : link.retryAtMs - nowMs;
    const next =
      waitMs > 500 ? `trying again in ${formatDuration(Math.ceil(waitMs / 1_000) * 1_000)}` : "trying again";
    return html`<section aria-label="How old this is" class="banner bad"><span role="alert">The daemon does not answer.</span> <span>Disconnected for ${ageText(nowMs - link.sinceMs)}, ${next}.${age}</span></section>`;
  }
  if (readiness !== undefined && !readiness.ready) {
    return html`<section aria-label="How old this is" class="banner warn"><span role="alert">Nothing is changed now: ${readiness.engine}</span></section>`;
  }
  if (link.state === "live" && ageMs !== undefined && ageMs > OLD_MS) {
    return html`<section aria-label="How old this is" class="banner warn">No figures have come for ${ageText(ageMs)}.</section>`;
  }
  return null;
}
