import { FlyballError } from "../core/errors.ts";
import type { Action, ObservedState, Project, Service, ServiceId } from "../core/types.ts";
import { describeAction } from "./describe.ts";
import type { DesiredProject } from "./reconcile/input.ts";

/** What is desired, with the templates that services are at, arranged once for the passes until it changes. */
export class Catalog {
  readonly desired: readonly DesiredProject[];
  readonly projects: readonly Project[];
  /** Without those of projects that are being removed. */
  readonly services: readonly Service[];
  readonly #services: ReadonlyMap<ServiceId, Service>;
  readonly #projectOf: ReadonlyMap<ServiceId, DesiredProject>;

  constructor(desired: readonly DesiredProject[], resolve: (project: Project) => Project) {
    this.desired = desired.map((one) => ({ ...one, project: resolve(one.project) }));
    this.projects = this.desired.map(({ project }) => project);
    this.services = this.desired.flatMap(({ project, removing }) => (removing ? [] : project.services));
    this.#services = new Map(this.services.map((service) => [service.id, service]));
    this.#projectOf = new Map(
      this.desired.flatMap((one) => one.project.services.map(({ id }) => [id, one] as const)),
    );
  }

  service(id: ServiceId): Service | undefined {
    return this.#services.get(id);
  }

  /** The count that is asked for. */
  replicas(id: ServiceId): number | undefined {
    return this.#projectOf.get(id)?.replicas.get(id);
  }

  /** @throws FlyballError INTERNAL */
  projectBehind(action: Action, observed: ObservedState | undefined): Project {
    const found = this.#projectNamedBy(action) ?? this.#projectSeenBehind(action, observed);
    if (found === undefined) throw new FlyballError("INTERNAL", `no project for ${describeAction(action)}`);
    return found;
  }

  /** The services of whose replicas an action makes one possible. */
  servicesBehind(action: Action): readonly Service[] {
    if (action.kind === "pull-image")
      return this.services.filter(({ template }) => template.image === action.image);
    if (action.kind !== "create-replica" && action.kind !== "start-replica") return [];
    const service = this.service(action.service);
    return service === undefined ? [] : [service];
  }

  #projectNamedBy(action: Action): Project | undefined {
    if ("service" in action) return this.#projectOf.get(action.service)?.project;
    const isIt = (project: Project) =>
      "project" in action
        ? project.name === action.project
        : project.services.some(({ template }) => template.image === action.image);
    // An image of an older template is in no project's files; whose it is makes no difference to its pull.
    return this.projects.find(isIt) ?? (action.kind === "pull-image" ? this.projects[0] : undefined);
  }

  /** Of a replica whose service no project names any more. */
  #projectSeenBehind(action: Action, observed: ObservedState | undefined): Project | undefined {
    const id = "replica" in action ? action.replica : undefined;
    const replica = observed?.replicas.find((one) => one.id === id);
    return this.projects.find(({ name }) => name === replica?.project);
  }
}
