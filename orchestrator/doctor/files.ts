import { systemClock } from "../../core/clock.ts";
import type { Config } from "../../core/config.ts";
import { messageOf } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Project } from "../../core/types.ts";
import type { ProjectRequest } from "../../core/wire.ts";
import type { ComposeProject } from "../compose/model.ts";
import type { Engine } from "../engine.ts";
import { openDockerEngine } from "../engines/docker/engine.ts";
import { readProjectRequest } from "../project-request.ts";
import { diagnose } from "./doctor.ts";
import type { Verdict } from "./verdict.ts";

export interface FilesToDiagnose {
  readonly config: Config;
  readonly log: Log;
  readonly name: string;
  readonly request: ProjectRequest;
}

/** The verdicts on compose files without a daemon: from the files, and from what runs of them where Docker answers. */
export async function diagnoseFiles(
  options: FilesToDiagnose,
): Promise<{ services: readonly Verdict[]; missing: readonly string[] }> {
  const { config, name, request } = options;
  const { project } = await readProjectRequest(name, request, {
    ...(config.autoscale === undefined ? {} : { defaults: config.autoscale }),
    hasPrometheus: config.prometheus !== undefined,
  });
  // Read by our own loader a moment ago; only names are taken from it.
  const compose = request.compose as unknown as ComposeProject;
  if (config.engine === "process") {
    return { services: await diagnoseWith(undefined, "process", project, compose), missing: [] };
  }
  try {
    await using engine = await openDockerEngine({
      instanceId: "doctor",
      clock: systemClock,
      log: options.log,
      ...(config.dockerHost === undefined ? {} : { host: config.dockerHost }),
    });
    return { services: await diagnoseWith(engine, "docker", project, compose), missing: [] };
  } catch (error) {
    const services = await diagnoseWith(undefined, "docker", project, compose);
    return { services, missing: [`what runs of ${name}: ${messageOf(error)}`] };
  }
}

function diagnoseWith(
  engine: Engine | undefined,
  kind: "docker" | "process",
  project: Project,
  compose: ComposeProject,
): Promise<readonly Verdict[]> {
  return diagnose(project, kind, engine, AbortSignal.timeout(60_000), compose);
}
