import { setTimeout as sleep } from "node:timers/promises";
import type { Action, ObservedReplica, ObservedState, Project, ReplicaId } from "../../core/types.ts";
import type { ActionContext, Engine, EngineScene } from "../../orchestrator/engine.ts";

/** As a Docker Engine takes them on an idle machine. */
const TOOK_MS = {
  "pull-image": 0,
  "create-network": 0,
  "create-volume": 0,
  "remove-network": 0,
  "create-replica": 20,
  "start-replica": 160,
  "stop-replica": 20,
  "remove-replica": 20,
} as const satisfies Record<Action["kind"], number>;

/** A call that was made to the engine; `atMs` on the clock of `performance.now()`. */
export type OnCall = (action: Action, atMs: number) => void;

/**
 * Stands where an engine stands for more replicas than this machine could run: it answers observations at once, and
 * takes as long over each action as a real one. Replicas that were started run.
 */
export class SimulatedEngine implements Engine {
  readonly kind = "docker";
  readonly description = "a simulated engine";
  readonly machine: Engine["machine"];
  readonly #onCall: OnCall;
  readonly #replicas = new Map<ReplicaId, ObservedReplica>();
  readonly #hints = new Set<() => void>();
  #made = 0;

  constructor(machine: Engine["machine"], onCall: OnCall) {
    this.machine = machine;
    this.#onCall = onCall;
  }

  /** Has so many replicas of each service of the project run already, for a long time. */
  fill(project: Project, replicas: number): void {
    const longAgoMs = Date.now() - 3_600_000;
    for (const { id, templateHash } of project.services) {
      for (let slot = 1; slot <= replicas; slot += 1) {
        const replica = this.#create(id, slot, project.name, templateHash, longAgoMs);
        this.#replicas.set(replica, { ...this.#find(replica), state: "running", startedAtMs: longAgoMs });
      }
    }
  }

  get count(): number {
    return this.#replicas.size;
  }

  async observe(projects: readonly Project[]): Promise<ObservedState> {
    const names = new Set(projects.map(({ name }) => name));
    return {
      atMs: Date.now(),
      complete: true,
      replicas: [...this.#replicas.values()].filter(({ project }) => names.has(project)),
      networks: projects.flatMap(({ networks }) => networks.map(({ name }) => name)),
      volumes: projects.flatMap(({ volumes }) => volumes.map(({ name }) => name)),
      images: projects.flatMap(({ services }) => services.flatMap(({ template }) => template.image ?? [])),
    };
  }

  async perform(
    action: Action,
    { project, service, createdReplica }: ActionContext,
    signal: AbortSignal,
  ): Promise<ReplicaId | undefined> {
    this.#onCall(action, performance.now());
    await sleep(TOOK_MS[action.kind], undefined, { signal });
    const made = this.#carryOut(action, project.name, service?.templateHash, createdReplica);
    for (const hint of this.#hints) hint();
    return made;
  }

  watch(onHint: () => void): Disposable {
    this.#hints.add(onHint);
    return { [Symbol.dispose]: () => void this.#hints.delete(onHint) };
  }

  check(): readonly [] {
    return [];
  }

  async logs(): Promise<string> {
    return "";
  }

  async scene(): Promise<EngineScene> {
    return { missing: [] };
  }

  async imageId(reference: string): Promise<string> {
    return reference;
  }

  async run(): Promise<{ readonly exitCode: number; readonly output: string }> {
    return { exitCode: 0, output: "" };
  }

  async examine(): ReturnType<Engine["examine"]> {
    return new Map();
  }

  async uses(): Promise<readonly []> {
    return [];
  }

  async inventory(): Promise<readonly []> {
    return [];
  }

  async discard(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hints.clear();
  }

  #carryOut(
    action: Action,
    project: string,
    templateHash = "",
    createdReplica: ReplicaId | undefined = undefined,
  ): ReplicaId | undefined {
    switch (action.kind) {
      case "create-replica":
        return this.#create(action.service, action.slot, project, templateHash, Date.now());
      case "start-replica": {
        const replica = this.#find(action.replica ?? createdReplica ?? "");
        this.#replicas.set(replica.id, { ...replica, state: "running", startedAtMs: Date.now() });
        return undefined;
      }
      case "stop-replica":
        this.#replicas.set(action.replica, { ...this.#find(action.replica), state: "exited", exitCode: 0 });
        return undefined;
      case "remove-replica":
        this.#replicas.delete(action.replica);
        return undefined;
      default:
        return undefined;
    }
  }

  #create(service: string, slot: number, project: string, templateHash: string, createdAtMs: number): string {
    this.#made += 1;
    const id = `replica-${this.#made}`;
    const name = `${service}-${slot}`;
    const about = { id, project, service, slot, name, templateHash, createdAtMs };
    this.#replicas.set(id, { ...about, state: "created", origin: "flyball", endpoints: [], notEnforced: [] });
    return id;
  }

  #find(id: ReplicaId): ObservedReplica {
    const replica = this.#replicas.get(id);
    if (replica === undefined) throw new Error(`the simulated engine has no replica ${JSON.stringify(id)}`);
    return replica;
  }
}
