/** A process engine in a directory of its own, services for it, and the proof that nothing is left. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../../core/clock.ts";
import { createLog } from "../../../../core/log.ts";
import type {
  Action,
  ObservedReplica,
  Project,
  ReplicaId,
  ReplicaTemplate,
  Service,
} from "../../../../core/types.ts";
import type { Engine } from "../../../../orchestrator/engine.ts";
import { Cgroups, DEFAULT_CGROUP_ROOT } from "../../../../orchestrator/engines/process/cgroup.ts";
import { CONTROLLERS } from "../../../../orchestrator/engines/process/cgroup-limits.ts";
import {
  openProcessEngine,
  type ProcessEngineOptions,
} from "../../../../orchestrator/engines/process/engine.ts";
import { findCarriers } from "../../../../orchestrator/engines/process/orphans.ts";

export const NEVER = new AbortController().signal;

const PATIENCE_MS = 15_000;

/** Looks again and again until there is something to see. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    assert.ok(performance.now() < deadlineMs, `waited in vain until ${what}`);
    await sleep(20);
  }
}

export function template(fields: Partial<ReplicaTemplate> = {}): ReplicaTemplate {
  return {
    environment: {},
    labels: {},
    ports: [],
    exposedPorts: [],
    mounts: [],
    networks: [],
    restart: { condition: "any", delayMs: 0 },
    stopGraceMs: 5_000,
    resources: {},
    container: {},
    ...fields,
  };
}

export function serviceOf(fields: Partial<ReplicaTemplate>, name = "web"): Service {
  return {
    id: `shop_${name}`,
    project: "shop",
    name,
    template: template(fields),
    templateHash: `hash of ${name}`,
    initialReplicas: 1,
    businessLabels: {},
    dependsOn: [],
  };
}

/** A service that runs this line in a shell that stays. */
export function shell(line: string, fields: Partial<ReplicaTemplate> = {}): Service {
  return serviceOf({ command: ["/bin/sh", "-c", line], ...fields });
}

export function projectOf(directory: string, ...services: Service[]): Project {
  return {
    name: "shop",
    workingDirectory: directory,
    composeFiles: [],
    services,
    networks: [],
    volumes: [],
  };
}

/** Actions of a plan that nobody made. */
const PLANNED = { id: 1, after: [], cause: "a test asks for it" };

export class Lab {
  readonly directory: string;
  readonly instanceId: string;
  readonly #drivers: Driver[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    this.instanceId = `test-${process.pid}-${directory.slice(-6)}`;
  }

  /** After the test, whatever became of it, nothing of this lab may run and no cgroup of it exist. */
  static async open(test: TestContext): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), "flyball-process-")));
    test.after(() => lab.#close());
    return lab;
  }

  options(more: Partial<ProcessEngineOptions> = {}): ProcessEngineOptions {
    return {
      dataDirectory: this.directory,
      instanceId: this.instanceId,
      clock: systemClock,
      log: createLog("silent"),
      ...more,
    };
  }

  /** An engine that is closed, and everything in it removed, at the end of the test. */
  async engine(more: Partial<ProcessEngineOptions> = {}): Promise<Driver> {
    const driver = new Driver(await openProcessEngine(this.options(more)), this.directory);
    this.#drivers.push(driver);
    return driver;
  }

  /** What is kept of a replica. */
  recordPath(replica: ReplicaId): string {
    return join(this.directory, "process", `${replica}.json`);
  }

  /** Pids of what runs in this lab's name. */
  running(): number[] {
    return findCarriers(this.instanceId, new Set()).map(({ process }) => process.pid);
  }

  async #close(): Promise<void> {
    let left: unknown[];
    try {
      for (const driver of this.#drivers.filter((open) => !open.closed)) await driver.removeAll();
    } finally {
      left = [...this.running(), ...this.#cgroups()];
      await this.#tidy();
    }
    assert.deepEqual(left, [], "the test left processes or cgroups behind");
  }

  #cgroups(): string[] {
    return CONTROLLERS.map((name) => join(DEFAULT_CGROUP_ROOT, name, "flyball", this.instanceId)).filter(
      existsSync,
    );
  }

  /** A test that failed must not be in the way of others. */
  async #tidy(): Promise<void> {
    for (const pid of this.running()) process.kill(pid, "SIGKILL");
    await eventually("what was left is gone", () => (this.running().length === 0 ? true : undefined));
    const cgroups = new Cgroups(DEFAULT_CGROUP_ROOT, this.instanceId);
    await cgroups.sweep(new Set());
    await cgroups.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** An engine as the executor drives it, with the words of a test. */
export class Driver {
  readonly engine: Engine;
  closed = false;
  readonly #directory: string;

  constructor(engine: Engine, directory: string) {
    this.engine = engine;
    this.#directory = directory;
  }

  /** As a daemon that ends in good order: what runs goes on. */
  async close(): Promise<void> {
    this.closed = true;
    await this.engine[Symbol.asyncDispose]();
  }

  async removeAll(): Promise<void> {
    for (const { id } of await this.replicas()) await this.remove(id);
    await this.close();
  }

  async create(service: Service, slot = 1): Promise<ReplicaId> {
    const project = projectOf(this.#directory, service);
    const action: Action = { ...PLANNED, kind: "create-replica", service: service.id, slot };
    const id = await this.engine.perform(action, { project, service }, NEVER);
    assert.ok(id !== undefined);
    return id;
  }

  async start(replica: ReplicaId): Promise<void> {
    await this.#perform({ ...PLANNED, kind: "start-replica", service: "shop_web", slot: 1, replica });
  }

  async stop(replica: ReplicaId, signal: AbortSignal = NEVER): Promise<void> {
    await this.#perform({ ...PLANNED, kind: "stop-replica", service: "shop_web", slot: 1, replica }, signal);
  }

  async remove(replica: ReplicaId): Promise<void> {
    await this.#perform({ ...PLANNED, kind: "remove-replica", service: "shop_web", slot: 1, replica });
  }

  async run(service: Service, slot = 1): Promise<ReplicaId> {
    const id = await this.create(service, slot);
    await this.start(id);
    return id;
  }

  async replicas(): Promise<readonly ObservedReplica[]> {
    return (await this.engine.observe([projectOf(this.#directory)], NEVER)).replicas;
  }

  async see(replica: ReplicaId): Promise<ObservedReplica | undefined> {
    return (await this.replicas()).find(({ id }) => id === replica);
  }

  async seen(replica: ReplicaId): Promise<ObservedReplica> {
    const seen = await this.see(replica);
    assert.ok(seen !== undefined, `replica ${replica} is not observed`);
    return seen;
  }

  /** Waits until the replica is in that state. */
  async until(replica: ReplicaId, state: ObservedReplica["state"]): Promise<ObservedReplica> {
    return await eventually(`${replica} is ${state}`, async () => {
      const seen = await this.see(replica);
      return seen?.state === state ? seen : undefined;
    });
  }

  async log(replica: ReplicaId, lines = 100): Promise<string> {
    return await this.engine.logs(replica, "shop_web", lines);
  }

  /** Waits until the replica has written that. */
  async wrote(replica: ReplicaId, pattern: RegExp): Promise<RegExpExecArray> {
    return await eventually(
      `${replica} wrote ${pattern}`,
      async () => pattern.exec(await this.log(replica)) ?? undefined,
    );
  }

  async #perform(action: Action, signal: AbortSignal = NEVER): Promise<void> {
    await this.engine.perform(action, { project: projectOf(this.#directory) }, signal);
  }
}

/** Why limits cannot hold on this machine; false where they can. */
export function noCgroups(): string | false {
  const cgroups = new Cgroups(DEFAULT_CGROUP_ROOT, `test-${process.pid}-probe`);
  const limits = { limitCores: 1, limitMemoryBytes: 1, limitPids: 1 };
  const [problem = false] = cgroups.notEnforced(limits);
  void cgroups.close();
  return problem;
}
