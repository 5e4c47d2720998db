import { readFileSync } from "node:fs";
import { systemClock } from "../core/clock.ts";
import type { ReplicaId } from "../core/types.ts";
import { SECOND_MS } from "../core/units.ts";
import { applicationPage } from "./apps/application-page.ts";
import type { Applications } from "./apps/applications.ts";
import type { Batch } from "./batch.ts";
import type { Discovered } from "./discover/discovered.ts";
import type { EngineSource } from "./discover/engine-source.ts";
import { createExposition, type Exposition } from "./expose/exposition.ts";
import { labelRules } from "./expose/label-rules.ts";
import type { PageFormat } from "./expose/page-format.ts";
import type { RemoteWrite } from "./expose/remote-write/remote-write.ts";
import type { Figures } from "./figures.ts";
import { HostReader } from "./host/host-reader.ts";
import { SlowLooks } from "./read/slow-looks.ts";
import type { Sampler } from "./sampler.ts";
import type { CollectorSettings, LabelSettings, ListenAddress } from "./settings.ts";

export interface PageOptions {
  readonly listen: ListenAddress;
  readonly labels: LabelSettings;
  readonly remoteWrite: CollectorSettings["remoteWrite"];
  readonly root: string;
  readonly sampler: Sampler;
  readonly source: EngineSource | undefined;
  readonly applications: Applications;
  /** Of the other parts. */
  readonly figures: () => Figures;
  readonly note: (line: string) => void;
}

/** What only a page of metrics needs: the machine's figures, and what is looked at seldom. */
export interface Page extends AsyncDisposable {
  readonly address: ListenAddress;
  setContainers(containers: ReadonlyMap<ReplicaId, Discovered>): void;
  /** Shows what the round found from now on. */
  update(batch: Batch, containers: ReadonlyMap<ReplicaId, Discovered>): void;
}

/** @throws FlyballError PORT_IN_USE, LISTEN_REFUSED */
export async function openPage(options: PageOptions): Promise<Page> {
  const { listen, labels, root, sampler, source, applications, note, remoteWrite } = options;
  await using opened = new AsyncDisposableStack();
  const rules = labelRules(labels);
  const machine = opened.use(new HostReader({ root, clock: systemClock }));
  let conflictingSeries = 0;
  const applicationText = (format: PageFormat): string => {
    const families = applications.readings.map((reading) => reading.families);
    const { text, left } = applicationPage([applications.status, ...families], format === "openmetrics");
    conflictingSeries = left;
    return format === "openmetrics" ? `${text}# EOF\n` : text;
  };
  let sending: RemoteWrite | undefined;
  const log = {
    info: (fields: object, message: string) => note(`${message}: ${JSON.stringify(fields)}`),
    warn: (fields: object, message: string) => note(`${message}: ${JSON.stringify(fields)}`),
  };
  const exposition: Exposition = opened.use(
    await createExposition({
      listen,
      labels: rules,
      version: version(),
      log,
      engineVersion: () => source?.engineVersion,
      figures: () => ({
        ...options.figures(),
        ...engineFigures(source),
        ...applicationFigures(applications),
        application_conflicting_series: conflictingSeries,
        ...sendingFigures(sending),
      }),
      applications: applicationText,
    }),
  );
  if (remoteWrite !== undefined) {
    const { RemoteWrite } = await import("./expose/remote-write/remote-write.ts");
    const page = () => whole(exposition, applicationText);
    sending = opened.use(new RemoteWrite({ ...remoteWrite, page, version: version(), log }));
  }
  let known: ReadonlyMap<ReplicaId, Discovered> = new Map();
  opened.use(
    new SlowLooks({
      root,
      clock: systemClock,
      containers: () => known.values(),
      pidsOf: (id) => sampler.pidsOf(id),
      note: (id, details) => sampler.note(id, details),
    }),
  );
  const kept = opened.move();
  return {
    address: exposition.address,
    setContainers: (containers) => {
      known = containers;
    },
    update: ({ readAtMs }, containers) => {
      const { measurements } = sampler;
      exposition.update({ atMs: readAtMs, containers, measurements, host: () => machine.read() });
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The containers' page and the applications', as who has no scraper wants both. */
async function whole(
  exposition: Exposition,
  applicationText: (format: PageFormat) => string,
): ReturnType<Exposition["text"]> {
  const page = await exposition.text();
  return page === undefined ? undefined : { ...page, text: `${page.text}${applicationText("prometheus")}` };
}

function engineFigures(source: EngineSource | undefined): Figures {
  if (source === undefined) return {};
  const { counts, trouble, listedAtMs } = source.discovery;
  return {
    container_starts_total: counts.starts,
    container_deaths_total: counts.deaths,
    container_ended_unseen_total: counts.endedUnseen,
    container_oom_events_total: counts.oomEvents,
    engine_up: Number(trouble === undefined),
    engine_stats_containers: source.readByStats,
    ...(listedAtMs === undefined
      ? {}
      : { engine_list_age_seconds: (systemClock.nowMs() - listedAtMs) / SECOND_MS }),
  };
}

function applicationFigures({ counts }: Applications): Figures {
  return {
    application_scrapes_total: counts.scrapes,
    application_scrapes_failed_total: counts.failedScrapes,
    application_series: counts.series,
    application_dropped_series_total: counts.droppedSeries,
  };
}

function sendingFigures(sending: RemoteWrite | undefined): Figures {
  if (sending === undefined) return {};
  const { sentSamples, droppedSamples, waitingBytes } = sending.figures;
  return {
    remote_write_samples_total: sentSamples,
    remote_write_dropped_samples_total: droppedSamples,
    remote_write_waiting_bytes: waitingBytes,
  };
}

function version(): string {
  const text: { version: string } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  return text.version;
}
