import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../core/log.ts";
import { keepHeapSmall } from "../../core/small-heap.ts";
import { Store } from "../../core/store.ts";
import type { ObservedReplica, ScalingPolicy, Service } from "../../core/types.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import type { LevelReader, ScalingSubject } from "../../scaler/observe.ts";
import { Scaler } from "../../scaler/scaler.ts";

/**
 * The daemon's scaler and nothing else of it, in a process of its own: evaluates very many services each second, in
 * simulated time and as fast as it goes, with readings that are at hand, and keeps every evaluation in a store.
 * `fork(scaler-load-process.ts, [SERVICES, WARM_UP_SECONDS, MEASURED_SECONDS])`, and one `Report` comes.
 */
export interface Report {
  /** User and system, all threads of the process. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly storedBytes: number;
  readonly changes: number;
  readonly tookMs: readonly number[];
}

const REPLICAS = 3;
const START_MS = Date.UTC(2030, 0, 1);
/** Each reading lies within this share of the load. */
const NOISE = 0.15;
const WAVE_SECONDS = (20 * MINUTE_MS) / SECOND_MS;

const POLICY: ScalingPolicy = {
  rules: [{ metric: "cpu", max: 0.7, capacity: 1, enforced: true }],
  kind: "target",
  minReplicas: 1,
  maxReplicas: 10,
  step: 1,
  windowMs: 10 * SECOND_MS,
  cooldownMs: 0,
  schedule: [],
  predict: false,
  dryRun: false,
};

/** Services with loads of their own, whose replicas come and go as decided. */
class Fleet {
  readonly #subjects: { service: Service; desired: number; replicas: ObservedReplica[] }[];
  /** What each replica of a service does now, in cores. */
  readonly #levels: Float64Array;
  #seed = 1;
  changes = 0;

  constructor(services: number) {
    this.#levels = new Float64Array(services);
    this.#subjects = Array.from({ length: services }, (_, index) => {
      const service = serviceOf(index);
      const replicas = Array.from({ length: REPLICAS }, (_, slot) => replicaOf(service, index, slot));
      return { service, desired: REPLICAS, replicas };
    });
  }

  evaluate(scaler: Scaler, second: number): void {
    const nowMs = START_MS + second * SECOND_MS;
    for (const [index, { replicas }] of this.#subjects.entries()) {
      const phase = (2 * Math.PI * (second + index)) / WAVE_SECONDS;
      const demand = REPLICAS * (0.6 + 0.4 * Math.sin(phase));
      this.#levels[index] = Math.min(1, demand / replicas.length);
    }
    const subjects: readonly ScalingSubject[] = this.#subjects;
    for (const { service, from, to } of scaler.evaluate(subjects, this.#readerAt(nowMs), nowMs)) {
      if (from === to) continue;
      this.changes += 1;
      const index = Number(service.slice("shop_".length));
      const subject = this.#subjects[index];
      if (subject === undefined) continue;
      subject.desired = to;
      subject.replicas.length = Math.min(subject.replicas.length, to);
      for (let slot = subject.replicas.length; slot < to; slot += 1) {
        subject.replicas.push(replicaOf(subject.service, index, slot));
      }
    }
  }

  #readerAt(nowMs: number): LevelReader {
    return {
      ofReplica: ({ slot }) => {
        const level = this.#levels[slot] ?? 0;
        return { mean: level * (1 + NOISE * (2 * this.#random() - 1)), newestAtMs: nowMs - 300 };
      },
      heldBack: () => undefined,
      ofService: () => undefined,
    };
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#seed / 2 ** 32;
  }
}

function serviceOf(index: number): Service {
  return {
    id: `shop_${index}`,
    project: "shop",
    name: String(index),
    template: {
      environment: {},
      labels: {},
      ports: [],
      exposedPorts: [],
      mounts: [],
      networks: [],
      restart: { condition: "any", delayMs: 100 },
      stopGraceMs: 10 * SECOND_MS,
      resources: {},
      container: {},
    },
    templateHash: "one",
    initialReplicas: REPLICAS,
    scaling: { ...POLICY },
    businessLabels: {},
    dependsOn: [],
  };
}

/** Its slot is the service's place in the fleet, by which it is read. */
function replicaOf({ id }: Service, index: number, slot: number): ObservedReplica {
  return {
    id: `${id}-${slot}`,
    project: "shop",
    service: id,
    slot: index,
    name: `${id}-${slot}`,
    state: "running",
    origin: "flyball",
    readyAtMs: START_MS - 3_600 * SECOND_MS,
    endpoints: [],
    notEnforced: [],
  };
}

function bytesOf(store: Store): number {
  const [pages, size] = ["page_count", "page_size"].map((name) =>
    Number(store.get(`PRAGMA ${name}`)?.[name]),
  );
  return (pages ?? 0) * (size ?? 0);
}

function run(services: number, warmUpSeconds: number, measuredSeconds: number): Report {
  keepHeapSmall();
  const directory = mkdtempSync(join(tmpdir(), "flyball-scaler-load-"));
  try {
    using store = new Store(directory);
    const scaler = new Scaler({ store, log: createLog("warn") });
    const fleet = new Fleet(services);
    for (let second = 0; second < warmUpSeconds; second += 1) fleet.evaluate(scaler, second);
    const [bytesBefore, changesBefore, cpuBefore] = [bytesOf(store), fleet.changes, process.cpuUsage()];
    const tookMs: number[] = [];
    for (let second = warmUpSeconds; second < warmUpSeconds + measuredSeconds; second += 1) {
      const startedAtMs = performance.now();
      fleet.evaluate(scaler, second);
      tookMs.push(performance.now() - startedAtMs);
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    scaler.close();
    return {
      cpuSeconds: (user + system) / 1e6,
      peakBytes: process.resourceUsage().maxRSS * 1_024,
      storedBytes: bytesOf(store) - bytesBefore,
      changes: fleet.changes - changesBefore,
      tookMs,
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const [services = 0, warmUpSeconds = 0, measuredSeconds = 0] = process.argv.slice(2).map(Number);
const report = run(services, warmUpSeconds, measuredSeconds);
process.send?.(report, () => process.disconnect());
