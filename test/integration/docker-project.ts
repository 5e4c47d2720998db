import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import type { Action, ObservedReplica, Project, ReplicaId, Service } from "../../core/types.ts";
import type { Engine } from "../../orchestrator/engine.ts";
import { openDockerEngine } from "../../orchestrator/engines/docker/engine.ts";
import { compose, LAB_IMAGE, type LabEngine } from "../lab/engines.ts";
import { aNetwork, aProject, aService, aTemplate } from "../orchestrator/engines/docker/builders.ts";
import { clearAway } from "./clear-away.ts";

type ActionWords = Action extends infer A
  ? A extends Action
    ? Omit<A, "id" | "after" | "cause">
    : never
  : never;

let projectsMade = 0;

/** A project of its own on a lab engine; whatever carries its name is removed at the end. */
export class DockerProject implements AsyncDisposable {
  readonly lab: LabEngine;
  readonly name: string;
  readonly directory: string;
  readonly engine: Engine;
  /** The engine seen past Flyball. */
  readonly docker: Docker;
  project: Project;

  private constructor(lab: LabEngine, name: string, engine: Engine) {
    this.lab = lab;
    this.name = name;
    this.engine = engine;
    this.directory = mkdtempSync(join(tmpdir(), `${name}-`));
    this.docker = new Docker({ socketPath: lab.socketPath });
    this.project = aProject(name, [], { workingDirectory: this.directory });
  }

  static async open(lab: LabEngine, subject: string): Promise<DockerProject> {
    projectsMade += 1;
    const name = `fbtest-${subject}-${process.pid}-${projectsMade}`;
    return new DockerProject(lab, name, await openLabEngine(lab.socketPath));
  }

  /** Defines the project: each service sleeps in busybox unless its template says otherwise. */
  define(services: Readonly<Record<string, Partial<Service["template"]>>>, networks = ["default"]): void {
    this.project = aProject(
      this.name,
      Object.entries(services).map(([name, template]) =>
        aService(this.name, name, {
          template: aTemplate({
            image: LAB_IMAGE,
            command: ["sleep", "1000"],
            networks: networks.map((key) => ({ network: `${this.name}_${key}`, aliases: [] })),
            stopGraceMs: 0,
            ...template,
          }),
        }),
      ),
      {
        workingDirectory: this.directory,
        composeFiles: [join(this.directory, "compose.yaml")],
        networks: networks.map((key) => aNetwork(this.name, key)),
      },
    );
  }

  async createNetworks(): Promise<void> {
    for (const { name } of this.project.networks) {
      await this.do({ kind: "create-network", project: this.name, network: name });
    }
  }

  async createAndStart(service: string, slot: number, cloneOf?: ReplicaId): Promise<ReplicaId> {
    const words = { service: `${this.name}_${service}`, slot };
    const id = await this.do({
      kind: "create-replica",
      ...words,
      ...(cloneOf === undefined ? {} : { cloneOf }),
    });
    if (id === undefined) throw new Error("create-replica gave no id");
    await this.do({ kind: "start-replica", ...words }, id);
    return id;
  }

  do(words: ActionWords, createdReplica?: ReplicaId): Promise<ReplicaId | undefined> {
    const action = { id: 1, after: [], cause: "a test", ...words } as Action;
    const service =
      "service" in action ? this.project.services.find(({ id }) => id === action.service) : undefined;
    const context = {
      project: this.project,
      ...(service === undefined ? {} : { service }),
      ...(createdReplica === undefined ? {} : { createdReplica }),
    };
    return this.engine.perform(action, context, AbortSignal.timeout(60_000));
  }

  async replicas(): Promise<readonly ObservedReplica[]> {
    const { replicas } = await this.engine.observe([this.project], AbortSignal.timeout(60_000));
    return replicas.toSorted((a, b) => a.slot - b.slot);
  }

  /** Runs `docker compose` in the project's directory and gives what it printed. */
  async compose(...args: readonly string[]): Promise<string> {
    const result = await compose(this.lab, ["-p", this.name, ...args], { cwd: this.directory });
    if (result.exitCode !== 0) throw new Error(`docker compose ${args.join(" ")}: ${result.stderr}`);
    return result.stdout + result.stderr;
  }

  /** The names that `docker compose ps` lists. */
  async composePs(): Promise<string[]> {
    const text = await this.compose("ps", "--all", "--format", "{{.Name}}");
    return text
      .split("\n")
      .filter((line) => line.startsWith(this.name))
      .sort();
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, file), text);
  }

  async containers(): Promise<Docker.ContainerInfo[]> {
    return this.docker.listContainers({ all: true, filters: this.#filters });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await clearAway(this.docker, this.#filters);
    const { Volumes } = await this.docker.listVolumes({ filters: JSON.stringify(this.#filters) });
    for (const { Name } of Volumes ?? []) await this.docker.getVolume(Name).remove();
    rmSync(this.directory, { recursive: true });
  }

  get #filters(): { label: string[] } {
    return { label: [`com.docker.compose.project=${this.name}`] };
  }
}

export function openLabEngine(socketPath: string): Promise<Engine> {
  return openDockerEngine({ socketPath, instanceId: "test", clock: systemClock, log: createLog("error") });
}

/** Asks until the answer is true. */
export async function eventually(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
