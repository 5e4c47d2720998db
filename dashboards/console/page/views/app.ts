import { useEffect, useMemo, useState } from "preact/hooks";
import type { Api } from "../link/api.ts";
import type { DaemonLink } from "../link/daemon-link.ts";
import { type Choice, firingByService, sumsOf } from "../state/select.ts";
import type { World } from "../state/world.ts";
import { AlertsPage } from "./alerts-page.ts";
import { Banner } from "./banner.ts";
import { Head } from "./head.ts";
import { html } from "./html.ts";
import { Lock } from "./lock.ts";
import { NodesPage } from "./nodes-page.ts";
import { useArrival, usePlace } from "./route.ts";
import { ServicePage } from "./service-page.ts";
import { ServicesPage } from "./services-page.ts";
import { TimelinePage } from "./timeline-page.ts";

const EVERYTHING: Choice = { filter: "all", sort: "name", text: "" };

export interface PageProperties {
  readonly world: World;
  readonly api: Api;
  readonly link: DaemonLink;
}

/** The whole page. What is below is given values, and asks or changes through the API. */
export function App({ world, api, link }: PageProperties) {
  const place = usePlace();
  useArrival(place);
  const [choice, setChoice] = useState(EVERYTHING);
  const nowMs = useNow();
  const firing = useMemo(() => firingByService(world.alerts), [world.alerts]);
  const sums = useMemo(() => sumsOf(world), [world.services, world.alerts]);
  useEffect(() => {
    document.title = sums.critical > 0 ? `(${sums.critical}) Flyball` : "Flyball";
  }, [sums.critical]);
  if (world.link.state === "locked") return html`<${Lock} detail=${world.link.detail} link=${link} />`;

  const shared = { world, api, link, firing, nowMs };
  const page = () => {
    switch (place.page) {
      case "services":
        return html`<${ServicesPage} ...${shared} choice=${choice} onChoice=${setChoice} />`;
      case "service":
        return html`<${ServicePage} key=${place.id} ...${shared} id=${place.id} decisionAtMs=${place.decisionAtMs} />`;
      case "alerts":
        return html`<${AlertsPage} ...${shared} />`;
      case "timeline":
        return html`<${TimelinePage} ...${shared} />`;
      case "nodes":
        return html`<${NodesPage} ...${shared} sums=${sums} />`;
    }
  };
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <${Head} world=${world} sums=${sums} page=${place.page} />
    <${Banner} world=${world} nowMs=${nowMs} />
    <main id="main" tabindex="-1" class=${isStale(world) ? "is-stale" : ""}>${page()}</main>
  `;
}

function isStale({ link }: World): boolean {
  return link.state === "lost";
}

/** The fragment is where one is, and must stay. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

/** By the clock of the page, second by second: for what grows older. */
function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
