import type { EngineKind, Project, ServiceId } from "../../core/types.ts";
import type { ComposeProject } from "../compose/model.ts";
import type { Engine } from "../engine.ts";
import { combined, factsOf, NOTHING_RUNS } from "./facts.ts";
import { factsFromCompose } from "./from-compose.ts";
import { type Verdict, verdictOn } from "./verdict.ts";

/**
 * The verdict on each service of a project, from what its file says and from what runs of it.
 * @param engine absent: the file alone is known
 * @param compose absent: what no template carries on is known from what runs
 * @throws FlyballError ENGINE_UNAVAILABLE, ENGINE_REFUSED
 */
export async function diagnose(
  project: Project,
  kind: EngineKind,
  engine: Pick<Engine, "examine"> | undefined,
  signal: AbortSignal,
  compose?: ComposeProject,
): Promise<readonly Verdict[]> {
  const running = (await engine?.examine(project, signal)) ?? new Map<ServiceId, never>();
  return project.services.map((service) => {
    const runs = running.get(service.id) ?? NOTHING_RUNS;
    const file = compose?.services[service.name];
    return verdictOn(
      factsOf(service, file === undefined ? runs : combined(factsFromCompose(file), runs)),
      kind,
    );
  });
}
