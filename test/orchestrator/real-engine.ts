import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { ObservedReplica, Plan, Project, ReplicaTemplate, Service } from "../../core/types.ts";
import { describeAction } from "../../orchestrator/describe.ts";
import type { Engine } from "../../orchestrator/engine.ts";
import { openProcessEngine } from "../../orchestrator/engines/process/engine.ts";
import { findCarriers } from "../../orchestrator/engines/process/orphans.ts";
import { Orchestrator } from "../../orchestrator/orchestrator.ts";
import type { Capacity } from "../../orchestrator/reconcile/input.ts";
import type { TrafficOf } from "../../orchestrator/rollout/evidence.ts";
import type { TrialRequest } from "../../orchestrator/rollout/trial.ts";
import { project, service, template } from "./builders.ts";

const PATIENCE_MS = 30_000;

/** Looks again and again until there is something to see. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    assert.ok(performance.now() < deadlineMs, `waited in vain until ${what}`);
    await sleep(20);
  }
}

/** A service that runs this line in a shell. */
export function shell(name: string, line: string, changes: Partial<ReplicaTemplate> = {}): Service {
  const definition = template({ command: ["/bin/sh", "-c", line], stopGraceMs: 2_000, ...changes });
  return service(name, { template: definition, templateHash: JSON.stringify(definition) });
}

/** Goes on until it is told to end. */
export const STAYS = "exec sleep 600";

/** An orchestrator with a real process engine and a real store, in a directory that is gone after the test. */
export class Running {
  readonly directory: string;
  readonly instanceId: string;
  /** `create shop_web 1: done`, in the order in which they ended. */
  readonly actions: string[] = [];
  readonly #stack = new AsyncDisposableStack();
  readonly orchestrator: Orchestrator;
  readonly engine: Engine;

  private constructor(
    directory: string,
    instanceId: string,
    engine: Engine,
    capacity?: Capacity,
    trafficOf?: TrafficOf,
  ) {
    this.directory = directory;
    this.instanceId = instanceId;
    this.engine = engine;
    const store = this.#stack.use(new Store(directory));
    this.#stack.defer(() => engine[Symbol.asyncDispose]());
    this.orchestrator = this.#stack.use(
      new Orchestrator({
        engine,
        store,
        clock: systemClock,
        log: createLog("silent"),
        ...(capacity === undefined ? {} : { capacity }),
        ...(trafficOf === undefined ? {} : { trafficOf }),
        onObserved: () => undefined,
        onAction: ({ action, outcome }) => this.actions.push(`${describeAction(action)}: ${outcome}`),
      }),
    );
  }

  /**
   * @param wrap puts something between the orchestrator and the engine
   * @param capacity absent: everything fits
   * @param trafficOf absent: nobody counts requests
   */
  static async start(
    t: TestContext,
    wrap = (engine: Engine): Engine => engine,
    capacity?: Capacity,
    trafficOf?: TrafficOf,
  ): Promise<Running> {
    const directory = await mkdtemp(join(tmpdir(), "flyball-orchestrator-"));
    const instanceId = `test-${process.pid}-${directory.slice(-6)}`;
    const running = new Running(
      directory,
      instanceId,
      wrap(await openEngine(directory, instanceId)),
      capacity,
      trafficOf,
    );
    t.after(() => running.#close());
    running.orchestrator.start();
    return running;
  }

  async up(...services: Service[]): Promise<void> {
    await this.orchestrator.applyProject(this.#project(services));
  }

  async tryOut(trial: TrialRequest, ...services: Service[]): Promise<void> {
    await this.orchestrator.applyProject(this.#project(services), trial);
  }

  /** What applying these services would do. */
  async plan(...services: Service[]): Promise<Plan> {
    return await this.orchestrator.planProject(this.#project(services));
  }

  replicas(name = "web"): readonly ObservedReplica[] {
    return this.orchestrator.replicasOf(`shop_${name}`);
  }

  /** Waits until exactly so many replicas run and nothing else is there of the service. */
  async count(count: number, name = "web"): Promise<readonly ObservedReplica[]> {
    return await eventually(`${count} replicas of ${name} run`, () => {
      const replicas = this.replicas(name);
      return replicas.length === count && replicas.every(({ state }) => state === "running") && replicas;
    });
  }

  /** Waits until the service is held for that. */
  async held(pattern: RegExp, name = "web"): Promise<string> {
    return await eventually(`${name} is held for ${pattern}`, () =>
      this.orchestrator.holdsOf(`shop_${name}`).find((hold) => pattern.test(hold)),
    );
  }

  /** Pids of what runs in this test's name. */
  pids(): number[] {
    return findCarriers(this.instanceId, new Set()).map(({ process }) => process.pid);
  }

  /** Waits until so many run: one that has just been let go is for a moment no program yet. */
  async processes(count: number): Promise<void> {
    await eventually(`${count} processes run`, () => this.pids().length === count);
  }

  #project(services: readonly Service[]): Project {
    return project(services, { workingDirectory: this.directory });
  }

  async #close(): Promise<void> {
    await this.#stack.disposeAsync();
    await using engine = await openEngine(this.directory, this.instanceId);
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { replicas } = await engine.observe([this.#project([])], signal);
    for (const { id, slot, service: of } of replicas) {
      const remove = { kind: "remove-replica", service: of, slot, replica: id } as const;
      await engine.perform(
        { ...remove, id: 0, after: [], cause: "the test is over" },
        { project: this.#project([]) },
        signal,
      );
    }
    rmSync(this.directory, { recursive: true, force: true });
    assert.deepEqual(this.pids(), [], "the test left processes behind");
  }
}

function openEngine(dataDirectory: string, instanceId: string): Promise<Engine> {
  return openProcessEngine({ dataDirectory, instanceId, clock: systemClock, log: createLog("silent") });
}
