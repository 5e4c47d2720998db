import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { EngineKind } from "../core/types.ts";
import { hasProjects } from "./desired.ts";
import type { Engine } from "./engine.ts";
import { dockerAnswers, openDockerEngine } from "./engines/docker/engine.ts";
import { openProcessEngine } from "./engines/process/engine.ts";
import { openInstance, readInstance } from "./instance.ts";

/** The engine that the configuration names; with `auto` the one that the projects are on, else Docker if it answers. */
export async function openEngine(config: Config, store: Store, log: Log): Promise<Engine> {
  const dockerAddress = config.dockerHost === undefined ? {} : { host: config.dockerHost };
  const projects = hasProjects(store);
  const known = projects ? readInstance(store)?.engine : undefined;
  const kind: EngineKind =
    config.engine === "auto"
      ? (known ?? ((await dockerAnswers({ ...dockerAddress, log })) ? "docker" : "process"))
      : config.engine;
  const instance = openInstance(store, kind, projects);
  const common = { instanceId: instance.id, clock: systemClock, log };
  if (kind === "docker") return openDockerEngine({ ...common, ...dockerAddress });
  return openProcessEngine({ ...common, dataDirectory: config.dataDirectory });
}
