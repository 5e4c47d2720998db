import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { Action, Project, ServiceId } from "../../core/types.ts";
import { Orchestrator } from "../../orchestrator/orchestrator.ts";
import { project, service, template } from "../orchestrator/builders.ts";
import { SimulatedEngine } from "./simulated-engine.ts";

/**
 * The real orchestrator and a store, with a simulated engine full of replicas, in a process of its own: decisions
 * arrive and are carried out. `fork(orchestrator-crowd-process.ts, [JSON of a Crowd])`, and one `Report` comes.
 */
export interface Crowd {
  readonly services: number;
  /** Of each service, at the start. */
  readonly replicas: number;
  readonly decisions: number;
  /** Between two decisions. */
  readonly everyMs: number;
}

export interface Report {
  /** From each decision to each create or stop call that it led to. */
  readonly createDelaysMs: readonly number[];
  readonly stopDelaysMs: readonly number[];
  /** From each decision to the first call that it led to. */
  readonly firstCallDelaysMs: readonly number[];
  readonly passes: number;
  /** User and system, of this process, while decisions arrived. */
  readonly cpuCores: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** Replicas that the engine has at the end, and how many were asked for. */
  readonly found: number;
  readonly asked: number;
}

const SERVICES_PER_PROJECT = 20;
const RESERVED_CORES = 0.1;
const SPARE_RATIO = 1.5;
/** The largest change that one decision makes. */
const STEP = 3;
const SETTLE_MS = 3_000;

interface Decision {
  readonly atMs: number;
  readonly kind: "create-replica" | "stop-replica";
  wanted: number;
  called: boolean;
}

async function main(crowd: Crowd): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "flyball-crowd-"));
  try {
    return await run(crowd, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function run({ services, replicas, decisions, everyMs }: Crowd, directory: string): Promise<Report> {
  const pending = new Map<ServiceId, Decision>();
  const delays = { "create-replica": [] as number[], "stop-replica": [] as number[] };
  const firstCallDelaysMs: number[] = [];
  const onCall = (action: Action, atMs: number): void => {
    if (action.kind !== "create-replica" && action.kind !== "stop-replica") return;
    const decision = pending.get(action.service);
    if (decision === undefined || decision.kind !== action.kind) return;
    delays[action.kind].push(atMs - decision.atMs);
    if (!decision.called) firstCallDelaysMs.push(atMs - decision.atMs);
    decision.called = true;
    decision.wanted -= 1;
    if (decision.wanted === 0) pending.delete(action.service);
  };

  const cores = services * replicas * RESERVED_CORES * SPARE_RATIO;
  const machine = { cores, memoryBytes: 2 ** 50 };
  const engine = new SimulatedEngine(machine, onCall);
  let passes = 0;
  using store = new Store(directory);
  await using orchestrator = new Orchestrator({
    engine,
    store,
    clock: systemClock,
    log: createLog("silent"),
    capacity: { ...machine, overcommitRatio: 1 },
    onObserved: () => {
      passes += 1;
    },
    onAction: () => undefined,
  });
  const projects = projectsOf(services, replicas);
  for (const one of projects) engine.fill(one, replicas);
  for (const one of projects) await orchestrator.applyProject(one);
  orchestrator.start();
  await sleep(SETTLE_MS);

  const ids = projects.flatMap((one) => one.services.map(({ id }) => id));
  const passesBefore = passes;
  const cpuBefore = process.cpuUsage();
  const beganAtMs = performance.now();
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let decision = 0; decision < decisions; decision += 1) {
    const id = ids[random(ids.length)] ?? "";
    const before = orchestrator.desiredReplicas(id) ?? replicas;
    const change = (random(2) === 0 ? -1 : 1) * (1 + random(STEP));
    // One decision at a time for each service, so that each call is some decision's.
    if (!pending.has(id) && before === orchestrator.replicasOf(id).length && before + change > 0) {
      const kind = change > 0 ? "create-replica" : "stop-replica";
      pending.set(id, { atMs: performance.now(), kind, wanted: Math.abs(change), called: false });
      orchestrator.setReplicas(id, before + change, "rules");
    }
    await sleep(Math.max(0, beganAtMs + (decision + 1) * everyMs - performance.now()));
  }
  const elapsedMs = performance.now() - beganAtMs;
  const cpu = process.cpuUsage(cpuBefore);
  const { rss, heapUsed } = process.memoryUsage();
  const passed = passes - passesBefore;
  await sleep(SETTLE_MS);
  return {
    createDelaysMs: delays["create-replica"],
    stopDelaysMs: delays["stop-replica"],
    firstCallDelaysMs,
    passes: passed,
    cpuCores: (cpu.user + cpu.system) / 1_000 / elapsedMs,
    residentBytes: rss,
    heapBytes: heapUsed,
    found: engine.count,
    asked: ids.reduce((sum, id) => sum + (orchestrator.desiredReplicas(id) ?? 0), 0),
  };
}

function projectsOf(services: number, replicas: number): Project[] {
  const definition = template({ image: "shop/web:1.4", resources: { reservedCores: RESERVED_CORES } });
  return Array.from({ length: Math.ceil(services / SERVICES_PER_PROJECT) }, (_, index) => {
    const name = `shop${index}`;
    const count = Math.min(SERVICES_PER_PROJECT, services - index * SERVICES_PER_PROJECT);
    const own = Array.from({ length: count }, (_, at) =>
      service(`web${at}`, {
        id: `${name}_web${at}`,
        project: name,
        template: definition,
        initialReplicas: replicas,
      }),
    );
    return project(own, { name });
  });
}

process.send?.(await main(JSON.parse(process.argv[2] ?? "{}") as Crowd));
