import type { ObservedReplica, Service } from "../../core/types.ts";
import type { ReconcileInput } from "../../orchestrator/reconcile/input.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import { beginRollout, type Rollout, settledRollout } from "../../orchestrator/rollout/rollout.ts";
import { NOTHING_IN_FLIGHT, NOW_MS, observed, project, replica, service } from "../orchestrator/builders.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";

const SERVICES = 1_000;
const REPLICAS = 10;
const GOAL_MS = 20;
const ROUNDS = 60;
const QUICK_ROUNDS = 5;
const CAPACITY = { cores: 1_000_000, memoryBytes: 2 ** 50, overcommitRatio: 1 };

/** One plan for a host full of services, with all that a pass gives it. */
export const benchReconcile: Bench = async (say, { quick }) => {
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  const situations: Readonly<Record<string, ReconcileInput>> = {
    "all as it should be": inputOf((index) => ({ index, wanted: REPLICAS, changed: false })),
    "every tenth scales": inputOf((index) => ({
      index,
      wanted: index % 20 === 0 ? REPLICAS + 2 : index % 20 === 10 ? REPLICAS - 2 : REPLICAS,
      changed: false,
    })),
    "all change at once": inputOf((index) => ({ index, wanted: REPLICAS, changed: true })),
  };
  const figures: Figure[] = [];
  for (const [name, input] of Object.entries(situations)) {
    const tookMs: number[] = [];
    let actions = 0;
    for (let round = 0; round < rounds; round += 1) {
      const startedAtMs = performance.now();
      actions = reconcile(input).actions.length;
      tookMs.push(performance.now() - startedAtMs);
    }
    const what = `reconcile ${SERVICES} x ${REPLICAS}, ${name}`;
    say(`${what}: ${actions} actions, best ${Math.min(...tookMs).toFixed(1)} ms`);
    const goal = { is: "at most", value: GOAL_MS } as const;
    figures.push({ name: `${what}, median`, value: percentile(tookMs, 0.5), unit: "ms", goal });
  }
  return figures;
};

interface Case {
  readonly index: number;
  readonly wanted: number;
  readonly changed: boolean;
}

function inputOf(caseOf: (index: number) => Case): ReconcileInput {
  const cases = Array.from({ length: SERVICES }, (_, index) => caseOf(index));
  const services = cases.map(serviceOf);
  const replicas = cases.flatMap(replicasOf);
  const counts = new Map(services.map(({ id }, index) => [id, cases[index]?.wanted ?? REPLICAS]));
  const rollouts = services.map((one, index) => rolloutOf(one, cases[index]?.changed === true));
  return {
    nowMs: NOW_MS,
    desired: [{ project: project(services), replicas: counts, removing: false }],
    observed: observed(replicas),
    inFlight: NOTHING_IN_FLIGHT,
    attempts: new Map(),
    rollouts: new Map(rollouts.map((rollout) => [rollout.service, rollout])),
    load: new Map(replicas.map(({ id }, index) => [id, index / replicas.length])),
    capacity: CAPACITY,
  };
}

function nameOf(index: number): string {
  return `service${String(index).padStart(4, "0")}`;
}

function serviceOf({ index }: Case): Service {
  return service(nameOf(index));
}

function replicasOf({ index, changed }: Case): readonly ObservedReplica[] {
  const hash = changed ? { templateHash: "h0" } : {};
  return Array.from({ length: REPLICAS }, (_, at) => replica(nameOf(index), at + 1, "running", hash));
}

function rolloutOf(one: Service, changed: boolean): Rollout {
  if (!changed) return settledRollout(one);
  const to = { number: 2, hash: one.templateHash, template: one.template };
  const from = { number: 1, hash: "h0", template: one.template };
  return beginRollout(one.id, { to, from, canGoBack: true, hasOld: true }, NOW_MS);
}
