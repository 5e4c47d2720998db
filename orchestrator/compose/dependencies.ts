import type { Diagnostics } from "../../core/diagnostics.ts";
import { serviceIdOf } from "../../core/ids.ts";
import type { Dependency, Service } from "../../core/types.ts";
import type { ComposeDependency, ComposeProject, ComposeService } from "./model.ts";

const CONDITIONS = {
  service_started: "started",
  service_healthy: "healthy",
  service_completed_successfully: "completed",
} as const;

/** Those of `depends_on`, then those of the label that it does not name. Others than the project's are errors. */
export function dependenciesOf(
  compose: ComposeProject,
  { depends_on: named = {} }: ComposeService,
  labelled: readonly string[],
  path: string,
  diagnostics: Diagnostics,
): readonly Dependency[] {
  const byFile = Object.entries(named)
    .filter(([other, { required }]) => required || compose.services[other] !== undefined)
    .map(([other, dependency]) => dependencyOf(compose.name, other, dependency));
  const byLabel = labelled
    .filter((other) => named[other] === undefined)
    .map((other): Dependency => {
      if (compose.services[other] === undefined) {
        const message = `expected services of this project, got "${other}", which is not among them`;
        diagnostics.error({ path: labelPath(path) }, message);
      }
      return { service: serviceIdOf(compose.name, other), condition: "started", required: true };
    });
  return [...byFile, ...byLabel];
}

/** Reports each circle that labels have a part in, once; those of `depends_on` alone never come this far. */
export function checkCircles(services: readonly Service[], diagnostics: Diagnostics): void {
  const known = new Map(services.map((service) => [service.id, service]));
  const done = new Set<string>();
  const visit = (service: Service, chain: readonly Service[]) => {
    const at = chain.indexOf(service);
    if (at !== -1) {
      const circle = [...chain.slice(at), service].map(({ name }) => name).join(" -> ");
      const message = `expected dependencies without a circle, got ${circle}`;
      diagnostics.error({ path: labelPath(`services.${service.name}`) }, message);
      return;
    }
    if (done.has(service.id)) return;
    for (const { service: next } of service.dependsOn) {
      const other = known.get(next);
      if (other !== undefined) visit(other, [...chain, service]);
    }
    done.add(service.id);
  };
  for (const service of services) visit(service, []);
}

function dependencyOf(project: string, other: string, dependency: ComposeDependency): Dependency {
  return {
    service: serviceIdOf(project, other),
    condition: CONDITIONS[dependency.condition],
    required: dependency.required,
  };
}

function labelPath(path: string): string {
  return `${path}.labels.aliyun.depends`;
}
