import { useState } from "preact/hooks";
import { applyTheme, rememberedTheme, rememberTheme, THEMES } from "../link/theme-choice.ts";
import { bytesText, coresText, countText } from "../state/format.ts";
import type { Sums } from "../state/select.ts";
import type { World } from "../state/world.ts";
import { html } from "./html.ts";
import { Icon, type IconName } from "./icons.ts";

const PAGES: readonly { name: string; page: string; icon: IconName }[] = [
  { name: "Services", page: "services", icon: "services" },
  { name: "Alerts", page: "alerts", icon: "alert" },
  { name: "Timeline", page: "timeline", icon: "timeline" },
  { name: "Nodes", page: "nodes", icon: "nodes" },
];

export function Head({ world, sums, page }: { world: World; sums: Sums; page: string }) {
  const firing = sums.critical + sums.warning;
  return html`<header class="top">
    <a class="brand" href="#/"><${Icon} name="governor" size=${20} /><span>Flyball</span></a>
    <nav aria-label="Pages">
      ${PAGES.map(({ name, page: to, icon }) => {
        const isHere = page === to || (page === "service" && to === "services");
        return html`<a href=${`#/${to}`} aria-current=${isHere ? "page" : undefined}>
          <${Icon} name=${icon} /><span>${name}</span>
          ${to === "alerts" && firing > 0 && html`<b class=${`count ${sums.critical > 0 ? "bad" : "warn"}`}>${firing}<i class="sr"> firing</i></b>`}
        </a>`;
      })}
    </nav>
    <dl class="sums">
      <${Sum} name="Services" value=${String(sums.services)} />
      <${Sum} name="Replicas" value=${`${sums.replicasReady}`} of=${` / ${sums.replicasDesired}`} />
      <${Sum} name="CPU" value=${coresText(sums.cpuCores)} of=" cores" />
      <${Sum} name="Memory" value=${bytesText(sums.memoryBytes)} />
    </dl>
    <p class="sr" role="status">${countText(sums.critical, "critical alert")}, ${countText(sums.warning, "warning")}</p>
    <${LinkState} world=${world} />
    <${ThemeSwitch} />
  </header>`;
}

function Sum({ name, value, of }: { name: string; value: string; of?: string }) {
  return html`<div><dt>${name}</dt><dd>${value}<span class="of">${of}</span></dd></div>`;
}

const LINK_WORDS = { opening: "Connecting", live: "Live", lost: "Disconnected", locked: "Locked" };

function LinkState({ world }: { world: World }) {
  const { state } = world.link;
  return html`<span class=${`link-state ${state}`} role="status"><i aria-hidden="true"></i>${LINK_WORDS[state]}</span>`;
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(rememberedTheme());
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const change = () => {
    rememberTheme(next);
    applyTheme(next);
    setTheme(next);
    dispatchEvent(new Event("themechange"));
  };
  return html`<button class="plain icon-only" onClick=${change} title=${`Colours: ${theme}`} aria-label=${`Colours: ${theme}; change to ${next}`}>
    <${Icon} name=${theme} />
  </button>`;
}
