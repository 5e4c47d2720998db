import type { Clock } from "../../../core/clock.ts";
import type { Log } from "../../../core/log.ts";
import type { Project, ReplicaId } from "../../../core/types.ts";
import type { Engine } from "../../engine.ts";
import type { AddressOptions } from "./address.ts";
import { imageIdOf, inspectContainer, readLogs } from "./api.ts";
import { checkProject } from "./check.ts";
import { oneAtATime } from "./concurrent.ts";
import { connect, type DockerConnection } from "./connect.ts";
import { type Watched, watchEvents } from "./events.ts";
import { examine } from "./examine.ts";
import { runInside } from "./exec.ts";
import { HalfRemoved } from "./half-removed.ts";
import { discard, inventory, uses } from "./housekeeping.ts";
import { logText } from "./logs.ts";
import { Memory } from "./memory.ts";
import { observe } from "./observe.ts";
import { perform } from "./perform.ts";
import { sceneOf } from "./scene.ts";

export { dockerAnswers } from "./connect.ts";

export interface DockerEngineOptions extends AddressOptions {
  /** Who makes the containers, written on each of them. */
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A Docker Engine, from 20.10 on. Without `socketPath` and `host`: the socket where Docker listens by default.
 * @throws FlyballError ENGINE_UNAVAILABLE when nothing answers there, ENGINE_UNSUPPORTED for an engine too old,
 * CONFIG_INVALID for a `host` of another form
 */
export async function openDockerEngine(options: DockerEngineOptions): Promise<Engine> {
  const connection = await connect(options);
  const { NCPU, MemTotal } = await connection.ask(() => connection.docker.info());
  return dockerEngine(connection, { cores: NCPU, memoryBytes: MemTotal }, options);
}

function dockerEngine(
  connection: DockerConnection,
  machine: Engine["machine"],
  { instanceId, clock, log }: DockerEngineOptions,
): Engine {
  const memory = new Memory();
  const stopping = new Set<ReplicaId>();
  const halfRemoved = new HalfRemoved({ connection, instanceId, clock, log, stopping });
  const rangeStarts = oneAtATime();
  const watches = new Set<Disposable>();
  let watched: Watched = { projects: new Set(), networks: new Set(), volumes: new Set() };
  return {
    kind: "docker",
    machine,
    description: `Docker Engine ${connection.engineVersion} (API ${connection.apiVersion}) at ${connection.address.text}`,

    async observe(projects, signal) {
      watched = namesIn(projects);
      const seen = await observe({ connection, instanceId, memory, stopping, clock, log }, projects, signal);
      halfRemoved.look(seen.replicas);
      return seen;
    },

    perform(action, context, signal) {
      const parts = { connection, memory, clock, log, instanceId, stopping, rangeStarts };
      return perform(parts, action, context, signal);
    },

    watch(onHint, onSign) {
      const watch = watchEvents({ connection, memory, log, watched: () => watched }, onHint, onSign);
      watches.add(watch);
      return {
        [Symbol.dispose]() {
          watches.delete(watch);
          watch[Symbol.dispose]();
        },
      };
    },

    check: (project) => checkProject(project, connection.address.kind === "socket"),

    async logs(replica, _service, lines) {
      const { Config } = await inspectContainer(connection, replica, {});
      return logText(await readLogs(connection, replica, lines, {}), Config.Tty === true);
    },

    imageId: (reference, signal) => imageIdOf(connection, reference, { signal }),

    run: (replica, command, signal) => runInside(connection, replica, command, signal),

    scene: (replica, bounds, signal) => sceneOf(connection, replica, bounds, signal),

    examine: (project, signal) => examine(connection, project, signal),

    uses: (projects, signal) => uses(connection, projects, signal),

    inventory: (signal) => inventory(connection, signal),

    discard: (found, signal) => discard(connection, found, signal),

    async [Symbol.asyncDispose]() {
      for (const watch of watches) watch[Symbol.dispose]();
      watches.clear();
    },
  };
}

function namesIn(projects: readonly Project[]): Watched {
  return {
    projects: new Set(projects.map(({ name }) => name)),
    networks: new Set(projects.flatMap(({ networks }) => networks.map(({ name }) => name))),
    volumes: new Set(projects.flatMap(({ volumes }) => volumes.map(({ name }) => name))),
  };
}
