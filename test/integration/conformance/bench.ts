import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Action, ObservedReplica, Project, ReplicaId, ReplicaTemplate } from "../../../core/types.ts";
import type { Command, Engine } from "../../../orchestrator/engine.ts";
import { LAB_IMAGE } from "../../lab/engines.ts";
import { aNetwork, aProject, aService, aTemplate } from "../../orchestrator/engines/docker/builders.ts";
import { eventually } from "../docker-project.ts";

/** Goes on until it is told to end, and says when it would hear that. */
export const STAYS = "trap 'exit 0' TERM; echo ready; sleep 1000 & wait";

/** One engine, and what differs between engines. */
export interface Ground {
  readonly engine: Engine;
  readonly project: string;
  /** Listens on port 8080 of a container, or on the port that a process was given. */
  readonly server: readonly string[];
  /** Closes the engine and opens it again, as the next daemon does. */
  readonly reopen: () => Promise<Engine>;
}

export type OpenBench = (t: TestContext) => Promise<Bench>;

/** One project on one engine; its service `web` runs a line in a shell, unless its template says otherwise. */
export class Bench {
  readonly project: string;
  readonly server: readonly string[];
  readonly #reopen: () => Promise<Engine>;
  #engine: Engine;

  constructor({ engine, project, server, reopen }: Ground) {
    this.#engine = engine;
    this.project = project;
    this.server = server;
    this.#reopen = reopen;
  }

  get engine(): Engine {
    return this.#engine;
  }

  get service(): string {
    return `${this.project}_web`;
  }

  /** The network that a project has unless its file says otherwise, and that only some tests make. */
  get network(): string {
    return aNetwork(this.project, "default").name;
  }

  async reopen(): Promise<void> {
    this.#engine = await this.#reopen();
  }

  async create(
    line: string,
    slot = 1,
    more: Partial<ReplicaTemplate> = {},
    signal = patience(),
  ): Promise<ReplicaId> {
    const id = await this.#perform({ kind: "create-replica", slot }, line, more, signal);
    assert.ok(id !== undefined, "create-replica gives an id");
    return id;
  }

  async start(replica: ReplicaId, line = STAYS, more: Partial<ReplicaTemplate> = {}): Promise<void> {
    await this.#perform({ kind: "start-replica", slot: 1, replica }, line, more);
  }

  /** Created, started, and seen to run. */
  async running(line = STAYS, slot = 1, more: Partial<ReplicaTemplate> = {}): Promise<ObservedReplica> {
    const id = await this.create(line, slot, more);
    await this.start(id, line, more);
    return this.until(id, "running");
  }

  async stop(replica: ReplicaId, signal = patience(), more: Partial<ReplicaTemplate> = {}): Promise<void> {
    await this.#perform({ kind: "stop-replica", slot: 1, replica }, STAYS, more, signal);
  }

  async remove(replica: ReplicaId): Promise<void> {
    await this.#perform({ kind: "remove-replica", slot: 1, replica });
  }

  async createNetwork(): Promise<void> {
    await this.#perform({ kind: "create-network", project: this.project, network: this.network });
  }

  async removeNetwork(): Promise<void> {
    await this.#perform({ kind: "remove-network", project: this.project, network: this.network });
  }

  run(replica: ReplicaId, line: string, more: Partial<Command> = {}, signal = patience()) {
    const command = { argv: ["/bin/sh", "-c", line], timeoutMs: 20_000, outputBytes: 1_000, ...more };
    return this.engine.run(replica, command, signal);
  }

  async replicas(more: Partial<ReplicaTemplate> = {}): Promise<readonly ObservedReplica[]> {
    const state = await this.engine.observe([this.define(STAYS, more)], patience());
    assert.equal(state.complete, true);
    return state.replicas;
  }

  async see(replica: ReplicaId, more: Partial<ReplicaTemplate> = {}): Promise<ObservedReplica | undefined> {
    return (await this.replicas(more)).find(({ id }) => id === replica);
  }

  async until(
    replica: ReplicaId,
    state: ObservedReplica["state"],
    more: Partial<ReplicaTemplate> = {},
  ): Promise<ObservedReplica> {
    let seen: ObservedReplica | undefined;
    await eventually(`${replica} is ${state}`, async () => {
      seen = await this.see(replica, more);
      return seen?.state === state;
    });
    assert.ok(seen !== undefined);
    return seen;
  }

  async wrote(replica: ReplicaId, word: string): Promise<void> {
    await eventually(`${replica} wrote ${word}`, async () =>
      (await this.engine.logs(replica, this.service, 5)).includes(word),
    );
  }

  /** The keys of the compose file, below the service, of which the engine says that it does not do what they ask. */
  declared(more: Partial<ReplicaTemplate>): ReadonlySet<string> {
    const said = this.engine.check(this.define(STAYS, more));
    return new Set(said.map(({ path }) => path.replace("services.web.", "")));
  }

  define(line: string, more: Partial<ReplicaTemplate> = {}): Project {
    const template = aTemplate({
      image: LAB_IMAGE,
      command: ["sh", "-c", line],
      stopGraceMs: 2_000,
      ...(more.networks === undefined ? { networkMode: "none" } : {}),
      ...more,
    });
    const networks = [aNetwork(this.project, "default")];
    const service = aService(this.project, "web", { template });
    return aProject(this.project, [service], { workingDirectory: "/", networks });
  }

  #perform(
    words: Record<string, unknown>,
    line = STAYS,
    more: Partial<ReplicaTemplate> = {},
    signal = patience(),
  ): Promise<ReplicaId | undefined> {
    const action = {
      id: 0,
      after: [],
      cause: "a test",
      service: this.service,
      ...words,
    } as unknown as Action;
    const project = this.define(line, more);
    const [service] = project.services;
    const context = { project, ...(service === undefined ? {} : { service }) };
    return this.engine.perform(action, context, signal);
  }
}

export function patience(): AbortSignal {
  return AbortSignal.timeout(60_000);
}
