import type {
  ObservedReplica,
  ObservedState,
  Plan,
  Project,
  ProjectNetwork,
  ReplicaState,
  ReplicaTemplate,
  Service,
} from "../../core/types.ts";
import { describeAction, describeHold } from "../../orchestrator/describe.ts";
import type { Capacity, ReconcileInput } from "../../orchestrator/reconcile/input.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import type { Rollout } from "../../orchestrator/rollout/rollout.ts";

/** Values with good defaults, so that a test says only what it is about. */

export const NOW_MS = 1_800_000_000_000;

export function template(changes: Partial<ReplicaTemplate> = {}): ReplicaTemplate {
  return {
    command: ["serve"],
    environment: {},
    labels: {},
    ports: [],
    exposedPorts: [],
    mounts: [],
    networks: [],
    restart: { condition: "any", delayMs: 1_000 },
    stopGraceMs: 10_000,
    resources: {},
    container: {},
    ...changes,
  };
}

export function service(name: string, changes: Partial<Service> = {}): Service {
  return {
    id: `shop_${name}`,
    project: "shop",
    name,
    template: template(),
    templateHash: "h1",
    initialReplicas: 1,
    businessLabels: {},
    dependsOn: [],
    ...changes,
  };
}

export function network(changes: Partial<ProjectNetwork> = {}): ProjectNetwork {
  return {
    key: "default",
    name: "shop_default",
    external: false,
    driverOptions: {},
    labels: {},
    internal: false,
    attachable: false,
    enableIpv6: false,
    subnets: [],
    ...changes,
  };
}

/** For a service that is rolled out in place, without waiting for what is new to prove healthy. */
export const STOP_FIRST: Partial<Service> = {
  updates: { update: { order: "stop-first", monitorMs: 0 }, rollback: {} },
};

export function project(services: readonly Service[], changes: Partial<Project> = {}): Project {
  return {
    name: "shop",
    workingDirectory: "/srv/shop",
    composeFiles: ["/srv/shop/compose.yaml"],
    services,
    networks: [],
    volumes: [],
    ...changes,
  };
}

/** `replica("web", 2, "exited", { exitCode: 1 })`: the replica in slot 2, made by Flyball from `h1`; long ready. */
export function replica(
  name: string,
  slot: number,
  state: ReplicaState = "running",
  changes: Partial<ObservedReplica> = {},
): ObservedReplica {
  return {
    id: `${name}-${slot}`,
    project: "shop",
    service: `shop_${name}`,
    slot,
    name: `shop-${name}-${slot}`,
    state,
    origin: "flyball",
    templateHash: "h1",
    ...(state === "running" ? { readyAtMs: NOW_MS - 60_000 } : {}),
    endpoints: [],
    notEnforced: [],
    ...changes,
  };
}

/** The same, made by compose: no hash of ours. */
export function composeReplica(name: string, slot: number, state: ReplicaState = "running"): ObservedReplica {
  const { templateHash: _hash, ...rest } = replica(name, slot, state);
  return { ...rest, origin: "compose" };
}

export function observed(
  replicas: readonly ObservedReplica[],
  changes: Partial<ObservedState> = {},
): ObservedState {
  return { atMs: NOW_MS, complete: true, replicas, networks: [], volumes: [], images: [], ...changes };
}

export const NOTHING_IN_FLIGHT: ReconcileInput["inFlight"] = {
  arriving: new Set(),
  leaving: new Set(),
  resources: new Set(),
};

export interface Situation {
  readonly services: readonly Service[];
  /** Desired counts by the service's name; its initial count otherwise. */
  readonly desired?: Readonly<Record<string, number>>;
  readonly replicas: readonly ObservedReplica[];
  readonly seen?: Partial<ObservedState>;
  readonly project?: Partial<Project>;
  readonly removing?: boolean;
  readonly inFlight?: Partial<ReconcileInput["inFlight"]>;
  readonly attempts?: ReconcileInput["attempts"];
  readonly takenAway?: ReadonlySet<string>;
  readonly rollouts?: readonly Rollout[];
  /** Cores by replica id. */
  readonly load?: Readonly<Record<string, number>>;
  readonly capacity?: Capacity;
}

export function inputOf(situation: Situation): ReconcileInput {
  const desired = Object.entries(situation.desired ?? {}).map(
    ([name, count]) => [`shop_${name}`, count] as const,
  );
  return {
    nowMs: NOW_MS,
    desired: [
      {
        project: project(situation.services, situation.project),
        replicas: new Map(desired),
        removing: situation.removing ?? false,
      },
    ],
    observed: observed(situation.replicas, situation.seen),
    inFlight: { ...NOTHING_IN_FLIGHT, ...situation.inFlight },
    attempts: situation.attempts ?? new Map(),
    takenAway: situation.takenAway ?? new Set(),
    rollouts: new Map(situation.rollouts?.map((rollout) => [rollout.service, rollout])),
    load: new Map(Object.entries(situation.load ?? {})),
    ...(situation.capacity === undefined ? {} : { capacity: situation.capacity }),
  };
}

/** The plan as a reviewer reads it: `2 start shop_web 1 (after 1): cause`, then what is held. */
export function planText(situation: Situation): readonly string[] {
  return textOf(reconcile(inputOf(situation)));
}

export function textOf(plan: Plan): readonly string[] {
  const actions = plan.actions.map((action) => {
    const after = action.after.length === 0 ? "" : ` (after ${action.after.join(", ")})`;
    return `${action.id} ${describeAction(action)}${after}: ${action.cause}`;
  });
  return [...actions, ...plan.holds.map((hold) => `hold ${describeHold(hold)}`)];
}
