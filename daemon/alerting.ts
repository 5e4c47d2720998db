import { statfs } from "node:fs/promises";
import { sep } from "node:path";
import { Alerts, type SeenFacts } from "../alerts/alerts.ts";
import type { SeriesReader } from "../alerts/charts.ts";
import type { FilesystemFacts, ServiceFacts } from "../alerts/facts.ts";
import { serviceView } from "../api/views.ts";
import { HostFilesystems } from "../collector/host/host-filesystems.ts";
import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Service, ServiceId } from "../core/types.ts";
import { HOUR_MS, SECOND_MS } from "../core/units.ts";
import type { Broadcast } from "./broadcast.ts";
import type { ControlLoop } from "./loop.ts";

const OWN_DISK_EVERY_MS = 30 * SECOND_MS;
/** What replicas left behind is in the store, and not asked for each second. */
const FAILURES_EVERY_MS = 5 * SECOND_MS;
const CHARTED_MS = HOUR_MS;

export interface AlertingOptions {
  readonly store: Store;
  readonly loop: ControlLoop;
  readonly broadcast: Broadcast;
  readonly config: Config;
  readonly log: Log;
}

/** Shows the alerts what the other rooms know. */
export class Alerting implements AsyncDisposable {
  readonly alerts: Alerts;
  readonly #loop: ControlLoop;
  readonly #log: Log;
  readonly #dataDirectory: string;
  readonly #filesystems = new HostFilesystems("/");
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #failures = new Map<ServiceId, { readAtMs: number; failures: ServiceFacts["failures"] }>();
  /** That of the data directory, which may be of a kind that is passed over elsewhere. */
  #ownDisk: FilesystemFacts | undefined;
  #isLooking = true;

  private constructor(alerts: Alerts, { loop, config, log }: AlertingOptions) {
    this.alerts = alerts;
    this.#loop = loop;
    this.#log = log;
    this.#dataDirectory = config.dataDirectory;
    this.#timers = [
      setInterval(() => void this.#lookAtOwnDisk(), OWN_DISK_EVERY_MS),
      setInterval(() => alerts.prune(), HOUR_MS),
    ];
    void this.#lookAtOwnDisk();
  }

  /** To be called each second, and when replicas have come or gone. Throws nothing: what cannot be looked at now is so another time. */
  look(): void {
    try {
      this.alerts.look(this.#seen());
      this.#isLooking = true;
    } catch (error) {
      if (this.#isLooking) this.#log.error({ err: error }, "alerts cannot be looked at");
      this.#isLooking = false;
    }
  }

  /** @throws FlyballError CONFIG_INVALID, STORE_… */
  static async start(options: AlertingOptions): Promise<Alerting> {
    const { store, loop, broadcast, config, log } = options;
    const { host, port } = config.listen;
    const alerts = await Alerts.open({
      ...{ store, log, clock: systemClock },
      ...(config.alerts === undefined ? {} : { config: config.alerts }),
      address: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      onNotification: (notification) => broadcast.hub.publish("alerts", notification),
      series: seriesOf(loop),
    });
    loop.metrics.alerts.readFrom(() => alerts.figures);
    return new Alerting(alerts, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#filesystems[Symbol.dispose]();
    await this.alerts[Symbol.asyncDispose]();
  }

  #seen(): SeenFacts {
    const { orchestrator, engine, collectorState } = this.#loop;
    const { engineTrouble: trouble } = orchestrator;
    const rollouts = new Map(orchestrator.rollouts.map((rollout) => [rollout.service, rollout]));
    const services = orchestrator.services.filter(({ job }) => job === undefined);
    return {
      services: services.map((service) => this.#serviceFacts(service, rollouts.get(service.id))),
      engine: { description: engine.description, ...(trouble === undefined ? {} : { trouble }) },
      collector: { state: collectorState },
      ...this.#disks(),
    };
  }

  #serviceFacts(service: Service, rollout: ServiceFacts["rollout"]): ServiceFacts {
    const { orchestrator, scaler } = this.#loop;
    const { id, project, name, businessLabels, alerts, scaling } = service;
    const isSeen = orchestrator.observed !== undefined && orchestrator.engineTrouble === undefined;
    const decision = scaler.latest(id);
    return {
      ...{ id, project, name, businessLabels },
      desired: this.#loop.desired(service),
      scales: scaling !== undefined,
      ...(isSeen ? { replicas: orchestrator.replicasOf(id), holds: orchestrator.holdListOf(id) } : {}),
      ...(decision === undefined ? {} : { decision }),
      levels: this.#levels(service),
      ...(rollout === undefined ? {} : { rollout }),
      failures: this.#failuresOf(id),
      requests: alerts?.requests ?? [],
      off: alerts?.off ?? [],
    };
  }

  #levels(service: Service): ServiceFacts["levels"] {
    const facts = this.#loop.factsOf(service);
    const { cpuRatio: cpu, memoryRatio: memory } = serviceView(facts).load;
    const ready = facts.replicas.filter(({ state }) => state === "running");
    const samples = ready.map(facts.newest).filter((sample) => sample !== undefined);
    const rates = samples.flatMap(({ requestsPerSecond }) => requestsPerSecond ?? []);
    const rps = sum(rates) / rates.length;
    // Of a replica that nobody asks nobody knows how long it would take.
    const served = samples.filter(({ latencyMs }) => latencyMs !== undefined);
    const weight = sum(served.map(({ requestsPerSecond = 0 }) => requestsPerSecond));
    const latency = sum(
      served.map(({ requestsPerSecond = 0, latencyMs = 0 }) => requestsPerSecond * latencyMs),
    );
    return {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
      ...(rates.length === 0 ? {} : { rps }),
      ...(weight === 0 ? {} : { latency: latency / weight }),
    };
  }

  #failuresOf(service: ServiceId): ServiceFacts["failures"] {
    const nowMs = systemClock.monotonicMs();
    const known = this.#failures.get(service);
    if (known !== undefined && nowMs - known.readAtMs < FAILURES_EVERY_MS) return known.failures;
    const failures = this.#loop.care.scenes.of(service);
    this.#failures.set(service, { readAtMs: nowMs, failures });
    return failures;
  }

  #disks(): Pick<SeenFacts, "filesystems"> {
    const found = this.#filesystems.found.filter(({ isReadOnly }) => !isReadOnly);
    const own = found
      .filter(({ mountPoint }) => isBelow(this.#dataDirectory, mountPoint))
      .reduce((longest, { mountPoint }) => (mountPoint.length > longest.length ? mountPoint : longest), "");
    const disks = found.map(
      ({ mountPoint, sizeBytes, availableBytes }): FilesystemFacts => ({
        ...{ mountPoint, sizeBytes, availableBytes },
        isOwn: mountPoint === own,
      }),
    );
    if (own !== "") return { filesystems: disks };
    if (this.#ownDisk !== undefined) return { filesystems: [...disks, this.#ownDisk] };
    // Not looked at yet.
    return disks.length === 0 ? {} : { filesystems: disks };
  }

  async #lookAtOwnDisk(): Promise<void> {
    try {
      const { bsize, blocks, bavail } = await statfs(this.#dataDirectory);
      const [sizeBytes, availableBytes] = [blocks * bsize, bavail * bsize];
      this.#ownDisk = { mountPoint: this.#dataDirectory, sizeBytes, availableBytes, isOwn: true };
    } catch {
      this.#ownDisk = undefined;
    }
  }
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function seriesOf(loop: ControlLoop): SeriesReader {
  return (service, metric) => {
    const nowMs = systemClock.nowMs();
    return loop.minutes.read(service, nowMs - CHARTED_MS, nowMs).flatMap((minute) => {
      const { atMs, cpuRatio, memoryRatio, requestsPerSecond, replicas } = minute;
      const values = {
        cpu: cpuRatio,
        memory: memoryRatio,
        rps: requestsPerSecond === undefined ? undefined : requestsPerSecond / replicas,
        latency: undefined,
        replicas,
      };
      const value = values[metric];
      return value === undefined ? [] : [{ atMs, value }];
    });
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
