import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { Project, Service } from "../../core/types.ts";
import { mapConcurrent } from "../../orchestrator/engines/docker/concurrent.ts";
import { openDockerEngine } from "../../orchestrator/engines/docker/engine.ts";
import { COMPOSE_LABELS } from "../../orchestrator/engines/docker/labels.ts";
import { planFromTemplate } from "../../orchestrator/engines/docker/template-body.ts";
import { Orchestrator } from "../../orchestrator/orchestrator.ts";
import { LAB_IMAGE, type LabEngine, labEngines } from "../lab/engines.ts";
import { aProject, aService, aTemplate } from "../orchestrator/engines/docker/builders.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";
import { RawContainers } from "./raw-containers.ts";

/** As many actions as the orchestrator has run at once. */
const PARALLELISM = 16;
const ROUNDS: Readonly<Record<number, number>> = { 1: 15, 10: 7, 50: 5 };
const QUICK_ROUNDS: Readonly<Record<number, number>> = { 1: 3, 10: 2 };
/**
 * The engine's own bridge: engine 20.10 now and then loses count of the endpoints of a network of which fifty
 * containers come and go at once, and then cannot remove it any more.
 */
const NETWORK_MODE = "bridge";
const GOAL_RATIO = 1.1;
/** An engine goes on clearing away for a moment after it has answered. */
const SETTLE_MS = 1_000;
const PATIENCE_MS = 120_000;

/**
 * From a decision to so many replicas that run, beside what the engine itself takes: the same containers created and
 * started by calls over the same socket, in turns. Both end when the engine says that the last one was started.
 */
export const benchFloor: Bench = async (say, { quick }) => {
  const engines = await labEngines();
  if (engines.length === 0) say("no Docker engine: run `npm run lab -- up` to have them measured");
  const figures: Figure[] = [];
  for (const lab of engines) {
    await using sides = await Sides.open(lab);
    for (const [words, rounds] of Object.entries(quick ? QUICK_ROUNDS : ROUNDS)) {
      const count = Number(words);
      const rawMs: number[] = [];
      const oursMs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        // In turns, and each as often before the other as after it.
        if (round % 2 === 0) rawMs.push(await sides.raw(count));
        oursMs.push(await sides.ours(count));
        if (round % 2 === 1) rawMs.push(await sides.raw(count));
      }
      say(`docker ${lab.name}, ${count}: ours ${textOf(oursMs)}; the engine alone ${textOf(rawMs)}`);
      figures.push(...figuresOf(`docker ${lab.name}, ${count} replicas`, rawMs, oursMs));
    }
  }
  return figures;
};

/** One service on one engine, brought to a count either way. */
class Sides implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #orchestrator: Orchestrator;
  readonly #raw: RawContainers;
  readonly #project: Project;
  readonly #service: Service;
  readonly #imageId: string;
  /** Of all containers that either side made: one and the same, or the two cannot be compared. */
  readonly #hostConfigs = new Set<string>();

  private constructor(
    stack: AsyncDisposableStack,
    orchestrator: Orchestrator,
    raw: RawContainers,
    about: { readonly project: Project; readonly service: Service; readonly imageId: string },
  ) {
    this.#stack = stack;
    this.#orchestrator = orchestrator;
    this.#raw = raw;
    this.#project = about.project;
    this.#service = about.service;
    this.#imageId = about.imageId;
  }

  static async open(lab: LabEngine): Promise<Sides> {
    await using stack = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "flyball-floor-"));
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    const raw = stack.use(new RawContainers(lab.socketPath, PARALLELISM));
    const project = projectOf(`flyball-floor-${process.pid}`, directory);
    const [service] = project.services;
    if (service === undefined) throw new Error("the project has no service");
    const log = createLog("error");
    const options = { socketPath: lab.socketPath, instanceId: project.name, clock: systemClock, log };
    const engine = stack.use(await openDockerEngine(options));
    const store = stack.use(new Store(directory));
    const ignore = () => undefined;
    const watched = { onObserved: ignore, onAction: ignore };
    const orchestrator = new Orchestrator({ engine, store, clock: systemClock, log, ...watched });
    stack.use(orchestrator);
    await orchestrator.applyProject(project);
    orchestrator.start();
    const imageId = await raw.imageId(LAB_IMAGE);
    const sides = new Sides(stack.move(), orchestrator, raw, { project, service, imageId });
    // The first of each is slower than those that follow.
    await sides.ours(1);
    await sides.raw(1);
    return sides;
  }

  /** Milliseconds from the decision to the start of the last replica. */
  async ours(count: number): Promise<number> {
    const decidedAtMs = Date.now();
    this.#orchestrator.setReplicas(this.#service.id, count);
    await this.#running(count);
    const startsMs = await this.#starts(this.#orchestrator.replicasOf(this.#service.id).map(({ id }) => id));
    this.#orchestrator.setReplicas(this.#service.id, 0);
    await this.#running(0);
    await sleep(SETTLE_MS);
    return Math.max(...startsMs) - decidedAtMs;
  }

  /** The same with nothing between. */
  async raw(count: number): Promise<number> {
    const identity = { project: this.#project, service: this.#service, instanceId: "nobody" };
    const names = { imageId: this.#imageId, networkMode: NETWORK_MODE };
    const plans = Array.from({ length: count }, (_, index) => {
      const plan = planFromTemplate({ ...identity, slot: index + 1 }, names);
      // Not the orchestrator's to look after.
      const labels = { ...plan.body.Labels, [COMPOSE_LABELS.project]: `${this.#project.name}-raw` };
      return { ...plan, name: `${plan.name}-raw`, body: { ...plan.body, Labels: labels } };
    });
    const decidedAtMs = Date.now();
    const ids = await mapConcurrent(plans, PARALLELISM, (plan) => this.#raw.run(plan));
    const startsMs = await this.#starts(ids);
    await mapConcurrent(ids, PARALLELISM, (id) => this.#raw.remove(id));
    await sleep(SETTLE_MS);
    return Math.max(...startsMs) - decidedAtMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { name } = this.#project;
    this.#orchestrator.setReplicas(this.#service.id, 0);
    try {
      await this.#running(0);
    } finally {
      for (const project of [name, `${name}-raw`]) {
        const left = await this.#raw.withLabel(`${COMPOSE_LABELS.project}=${project}`);
        await mapConcurrent(left, PARALLELISM, (id) => this.#raw.remove(id));
      }
      await this.#stack.disposeAsync();
    }
  }

  async #starts(ids: readonly string[]): Promise<number[]> {
    const inspected = await mapConcurrent(ids, PARALLELISM, (id) => this.#raw.inspect(id));
    for (const { hostConfig } of inspected) this.#hostConfigs.add(hostConfig);
    if (this.#hostConfigs.size > 1) {
      throw new Error(`the two sides made different containers: ${[...this.#hostConfigs].join("\nand ")}`);
    }
    return inspected.map(({ startedAtMs }) => startedAtMs);
  }

  async #running(count: number): Promise<void> {
    const lateAtMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const replicas = this.#orchestrator.replicasOf(this.#service.id);
      if (replicas.length === count && replicas.every(({ state }) => state === "running")) return;
      if (performance.now() > lateAtMs) throw new Error(`${count} replicas never ran`);
      await sleep(20);
    }
  }
}

function projectOf(name: string, workingDirectory: string): Project {
  const template = aTemplate({
    image: LAB_IMAGE,
    command: ["sleep", "100000"],
    networkMode: NETWORK_MODE,
    stopGraceMs: 0,
  });
  const service = aService(name, "web", { template, initialReplicas: 0 });
  return aProject(name, [service], { workingDirectory });
}

function figuresOf(what: string, rawMs: readonly number[], oursMs: readonly number[]): Figure[] {
  const floor = percentile(rawMs, 0.5);
  const ours = percentile(oursMs, 0.5);
  return [
    { name: `${what}: the engine alone, median`, value: Math.round(floor), unit: "ms" },
    { name: `${what}: from the decision, median`, value: Math.round(ours), unit: "ms" },
    {
      name: `${what}: of the engine's own time`,
      value: ours / floor,
      unit: "times",
      goal: { is: "at most", value: GOAL_RATIO },
    },
  ];
}

function textOf(valuesMs: readonly number[]): string {
  return `${valuesMs.map(Math.round).join(", ")} ms`;
}
