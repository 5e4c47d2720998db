import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceDetail } from "../../core/wire.ts";
import type { AlertWitness } from "./alert-witness.ts";
import type { Calibration } from "./calibrate.ts";
import type { FlyballClient } from "./client.ts";
import type { DaemonProcess } from "./daemon-process.ts";
import { LoadGenerator, type LoadTarget } from "./load.ts";
import { type Phase, phaseAt, phasesWithin } from "./phases.ts";
import { type DemoEvent, type DemoReport, latenciesOf, reportOf } from "./report.ts";
import type { ScreenState } from "./screen.ts";

export const PROJECT = "shop";
export const SERVICE = "shop_web";

/** As often as a careful balancer would ask. */
const POLL_MS = 200;
const FIRST_REPLICA_TIMEOUT_MS = 30_000;
const RECENT_MS = 3_000;
/** How long the end of the alert may take to be told, once it is over. */
const TOLD_WITHIN_MS = 4_000;

export interface RunOptions {
  readonly engine: string;
  readonly client: FlyballClient;
  readonly daemon: DaemonProcess;
  readonly witness: AlertWitness;
  readonly load: Calibration;
  readonly totalMs: number;
  readonly signal: AbortSignal;
  readonly onState: (state: ScreenState) => void;
}

/**
 * Drives the load through its phases over the replicas that the API names, and writes down what happens, until the
 * service has scaled out and in again, the time is over, or the signal aborts.
 * @throws Error when the daemon ends, or no replica becomes ready
 */
export async function runDemo(options: RunOptions): Promise<DemoReport> {
  await using run = new DemoRun(options);
  await run.untilFirstReplica();
  await run.driveLoad();
  return run.report();
}

class DemoRun implements AsyncDisposable {
  readonly #options: RunOptions;
  readonly #phases: readonly Phase[];
  readonly #generator: LoadGenerator;
  readonly #events: DemoEvent[] = [];
  readonly #seenDecisions = new Set<number>();
  readonly #answered: number[] = [];
  readonly #cpu: (number | undefined)[] = [];
  #phase: Phase | undefined;
  #startedAtMs = Date.now();
  #service: ServiceDetail | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#phases = phasesWithin(options.totalMs);
    this.#generator = new LoadGenerator("/", ({ endedAtMs, ...outcome }) =>
      this.#events.push({ kind: "outcome", atMs: endedAtMs, ...outcome }),
    );
  }

  async untilFirstReplica(): Promise<void> {
    const deadlineMs = Date.now() + FIRST_REPLICA_TIMEOUT_MS;
    while (!this.#options.signal.aborted) {
      await this.#observe();
      if (this.#service !== undefined && readyTargets(this.#service).length > 0) return;
      if (Date.now() > deadlineMs) {
        const holds = this.#service?.holds.join("; ") || "no reason given";
        throw new Error(
          `no replica of ${SERVICE} was ready within ${FIRST_REPLICA_TIMEOUT_MS / 1_000} s: ${holds}\n` +
            this.#options.daemon.lastLines(15),
        );
      }
      await sleep(POLL_MS);
    }
  }

  async driveLoad(): Promise<void> {
    this.#startedAtMs = Date.now();
    let nextSecondMs = this.#startedAtMs + 1_000;
    for (;;) {
      const nowMs = Date.now();
      const phase = phaseAt(this.#phases, nowMs - this.#startedAtMs);
      if (phase === undefined || this.#options.signal.aborted) break;
      if (phase !== this.#phase) this.#enter(phase);
      await this.#observe();
      if (Date.now() >= nextSecondMs) {
        nextSecondMs += 1_000;
        this.#remember();
      }
      this.#options.onState(this.#state());
      if (this.report().scaledInAt !== undefined) break;
      await sleep(Math.min(POLL_MS, Math.max(1, this.#startedAtMs + phase.toMs - Date.now())));
    }
    if (!this.#options.signal.aborted) await this.#generator.finish();
    await this.#untilTold();
  }

  report(): DemoReport {
    return reportOf({
      engine: this.#options.engine,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
      load: this.#options.load,
      retriedRequests: this.#generator.counts.retried,
      events: [
        ...this.#events,
        ...this.#options.witness.told.map((told) => ({ kind: "told" as const, ...told })),
      ],
    });
  }

  async #untilTold(): Promise<void> {
    const { witness, signal } = this.#options;
    const deadlineMs = Date.now() + TOLD_WITHIN_MS;
    while (!witness.hasHeardAll && !signal.aborted && Date.now() < deadlineMs) await sleep(POLL_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#generator.stop();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#generator.setRate(this.#options.load.calmPerSecond * phase.factor);
    this.#events.push({ kind: "phase", atMs: Date.now(), name: phase.name, factor: phase.factor });
  }

  async #observe(): Promise<void> {
    const { client, daemon } = this.#options;
    daemon.assertRunning();
    const [service, changes] = await Promise.all([client.service(SERVICE), client.changes(SERVICE)]).catch(
      (error: unknown) => {
        daemon.assertRunning();
        throw error;
      },
    );
    if (service === undefined) return;
    this.#service = service;
    const targets = readyTargets(service);
    this.#generator.setTargets(targets);
    const { cpuRatio, readAtMs } = service.load;
    const maxRatio = service.autoscale?.maxCpuRatio;
    const isRead = cpuRatio !== undefined && readAtMs !== undefined && maxRatio !== undefined;
    this.#events.push({
      kind: "observed",
      atMs: Date.now(),
      ready: targets.map(({ id }) => id),
      running: service.replicaList.filter(({ state }) => state !== "exited").length,
      ...(isRead ? { cpu: { readAtMs, ratio: cpuRatio, maxRatio } } : {}),
    });
    for (const decision of changes) {
      if (this.#seenDecisions.has(decision.atMs)) continue;
      this.#seenDecisions.add(decision.atMs);
      this.#events.push({ kind: "decision", decision });
    }
  }

  #remember(): void {
    const sinceMs = Date.now() - 1_000;
    this.#answered.push(this.#recentOutcomes(sinceMs).length);
    this.#cpu.push(this.#service?.load.cpuRatio);
  }

  #recentOutcomes(sinceMs: number) {
    const outcomes = [];
    for (let i = this.#events.length - 1; i >= 0; i -= 1) {
      const event = this.#events[i];
      if (event === undefined || ("atMs" in event && event.atMs < sinceMs)) break;
      if (event.kind === "outcome") outcomes.push(event);
    }
    return outcomes;
  }

  #state(): ScreenState {
    const { engine, client, load } = this.#options;
    const service = this.#service;
    const elapsedMs = Date.now() - this.#startedAtMs;
    const phase = this.#phase;
    const latencyMs = latenciesOf(this.#recentOutcomes(Date.now() - RECENT_MS));
    const maxCpuRatio = service?.autoscale?.maxCpuRatio;
    return {
      engine,
      address: client.url,
      elapsedMs,
      ...(phase === undefined
        ? {}
        : {
            phase: {
              name: phase.name,
              remainingMs: phase.toMs - elapsedMs,
              doneRatio: Math.min(1, (elapsedMs - phase.fromMs) / (phase.toMs - phase.fromMs)),
            },
          }),
      answered: this.#answered,
      cpu: this.#cpu,
      ...(maxCpuRatio === undefined ? {} : { maxCpuRatio }),
      replicas: {
        desired: service?.replicas.desired ?? 0,
        min: service?.replicas.min ?? 1,
        max: service?.replicas.max ?? 1,
        list: (service?.replicaList ?? []).map(({ name, state, cpuCores }) => ({
          name,
          state,
          ...(cpuCores === undefined ? {} : { cpuRatio: cpuCores / load.limitCores }),
        })),
      },
      decisions: this.#events.flatMap((event) =>
        event.kind === "decision"
          ? [{ atMs: event.decision.atMs - this.#startedAtMs, sentence: event.decision.sentence }]
          : [],
      ),
      counts: this.#generator.counts,
      ...(latencyMs === undefined ? {} : { latencyMs }),
    };
  }
}

/** Where requests may go: replicas that are ready, by the address that the API gives for them. */
export function readyTargets(service: ServiceDetail): LoadTarget[] {
  return service.replicaList.flatMap(({ id, state, endpoints: [endpoint] }) =>
    state === "running" && endpoint !== undefined ? [{ id, host: endpoint.host, port: endpoint.port }] : [],
  );
}
