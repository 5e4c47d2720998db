import { systemClock } from "../core/clock.ts";
import type { Target } from "../core/types.ts";
import type { Batch } from "./batch.ts";
import type { Figures } from "./figures.ts";
import type { Page } from "./page.ts";
import { PatientPage } from "./patient-page.ts";
import { Host, openReader } from "./read/reader.ts";
import { loadApplications, ReplicaMetrics } from "./replica-metrics.ts";
import { Sampler } from "./sampler.ts";
import type { CollectorSettings, ListenAddress } from "./settings.ts";
import { Watch } from "./watch.ts";

/** A mean over more than this many intervals says nothing about now. */
const MAX_GAP_INTERVALS = 5;

/** What the parts hand over to the one who joins them. */
export interface Outward {
  readonly onBatch: (batch: Batch) => void;
  /** Without its page it is of no use; else it goes on until the page's address is free. */
  readonly needsPage: boolean;
  /** Further figures for the collector's page. */
  readonly figures: () => Figures;
}

/** The collector's parts, joined. */
export interface Joined extends AsyncDisposable {
  /** Replicas to read beside those that the engine shows: always the whole list. */
  setTargets(targets: readonly Target[]): void;
  /** Makes the first round now. */
  begin(): void;
  /** Where the page is offered. */
  readonly address: ListenAddress | undefined;
  /** Which engine's containers are followed. */
  readonly engine: string | undefined;
}

/** Loads the parts that these settings need, and no others: each costs memory for good. */
export async function loadParts(settings: CollectorSettings): Promise<void> {
  if (settings.dockerHost !== undefined) await import("./discover/engine-source.ts");
  if (pageAddress(settings) !== undefined) await import("./page.ts");
  if (settings.remoteWrite !== undefined) await import("./expose/remote-write/remote-write.ts");
}

/** Loads what these settings may come to need besides. */
export async function loadSeldomParts(): Promise<void> {
  await loadApplications();
}

/** A page that is only sent away is offered to this machine, on whatever port is free. */
function pageAddress({ metrics, remoteWrite }: CollectorSettings): ListenAddress | undefined {
  return metrics ?? (remoteWrite === undefined ? undefined : { host: "127.0.0.1", port: 0 });
}

/** @throws FlyballError CONFIG_INVALID, and where the page is needed PORT_IN_USE, LISTEN_REFUSED */
export async function joinParts(settings: CollectorSettings, outward: Outward): Promise<Joined> {
  await using opened = new AsyncDisposableStack();
  const { intervalMs, root, dockerHost, runtimeDirectory, labels, remoteWrite } = settings;
  const listen = pageAddress(settings);
  const host = new Host(root);
  let watch: Watch | undefined;
  const onChange = (): void => watch?.relist();
  const source =
    dockerHost === undefined
      ? undefined
      : opened.use(
          new (await import("./discover/engine-source.ts")).EngineSource({
            dockerHost,
            runtimeDirectory,
            host,
            clock: systemClock,
            onChange,
            note,
          }),
        );
  const metrics = opened.use(
    new ReplicaMetrics({
      labelsOf:
        listen === undefined ? undefined : (await import("./apps/replica-labels.ts")).pageLabels(labels),
      note,
    }),
  );
  const sampler = opened.use(
    new Sampler({
      host,
      clock: systemClock,
      maxGapMs: MAX_GAP_INTERVALS * intervalMs,
      open: (readable) => (source === undefined ? openReader(readable, host) : source.open(readable)),
      traffic: (replica) => metrics.traffic(replica),
    }),
  );
  const figures = () => ({ ...outward.figures(), ...watch?.figures });
  const openPage = async (address: ListenAddress): Promise<Page> =>
    await (await import("./page.ts")).openPage({
      listen: address,
      remoteWrite,
      labels,
      root,
      sampler,
      source,
      applications: await metrics.load(),
      figures,
      note,
    });
  let page = (): Page | undefined => undefined;
  if (listen !== undefined && outward.needsPage) {
    const own = opened.use(await openPage(listen));
    page = () => own;
  } else if (listen !== undefined) {
    const patient = opened.use(new PatientPage({ open: () => openPage(listen), onOpen: onChange, note }));
    page = () => patient.page;
    await patient.tryNow();
  }
  watch = opened.use(
    new Watch({
      sampler,
      intervalMs,
      ...(source === undefined ? {} : { discovery: source.discovery }),
      onList: (containers) => {
        metrics.setReplicas(containers.values());
        page()?.setContainers(containers);
      },
      onRound: (batch, containers) => {
        page()?.update(batch, containers);
        outward.onBatch(batch);
      },
    }),
  );
  // Without a page only what is named is of interest; the engine is then asked for what cannot be read from files.
  if (listen !== undefined) source?.follow();
  const joined = watch;
  const kept = opened.move();
  return {
    setTargets: (targets) => joined.setTargets(targets),
    begin: () => joined.begin(),
    address: page()?.address,
    engine: source?.address,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** To the daemon's log, or to whoever started the agent. */
function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
