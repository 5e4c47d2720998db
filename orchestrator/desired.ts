import { FlyballError } from "../core/errors.ts";
import type { Migrations, Store } from "../core/store.ts";
import type { Project, Service, ServiceId } from "../core/types.ts";
import type { DesiredProject } from "./reconcile/input.ts";

const MIGRATIONS: Migrations = {
  room: "orchestrator",
  steps: [
    `CREATE TABLE projects (
       name TEXT PRIMARY KEY,
       removing INTEGER NOT NULL,
       body TEXT NOT NULL
     ) STRICT;
     CREATE TABLE desired_replicas (
       service TEXT PRIMARY KEY,
       project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
       replicas INTEGER NOT NULL
     ) STRICT`,
  ],
};

/** Whether anything is desired at all. */
export function hasProjects(store: Store): boolean {
  store.migrate(MIGRATIONS);
  return store.get("SELECT 1 FROM projects LIMIT 1") !== undefined;
}

interface Entry {
  readonly project: Project;
  readonly replicas: Map<ServiceId, number>;
  removing: boolean;
}

/**
 * What should run: the projects and the count of each service. Written to the store before it is acted on; read from
 * it once, at the start.
 */
export class DesiredState {
  readonly #store: Store;
  readonly #entries = new Map<string, Entry>();

  constructor(store: Store) {
    this.#store = store;
    store.migrate(MIGRATIONS);
    for (const row of store.all("SELECT name, removing, body FROM projects")) {
      const project = JSON.parse(String(row["body"])) as Project;
      this.#entries.set(project.name, { project, replicas: new Map(), removing: row["removing"] === 1 });
    }
    for (const row of store.all("SELECT service, project, replicas FROM desired_replicas")) {
      this.#entries
        .get(String(row["project"]))
        ?.replicas.set(String(row["service"]), Number(row["replicas"]));
    }
  }

  get all(): readonly DesiredProject[] {
    return [...this.#entries.values()];
  }

  get services(): readonly Service[] {
    return this.all.flatMap(({ project, removing }) => (removing ? [] : project.services));
  }

  service(id: ServiceId): Service | undefined {
    return this.services.find((service) => service.id === id);
  }

  project(name: string): DesiredProject | undefined {
    return this.#entries.get(name);
  }

  replicas(service: ServiceId): number | undefined {
    for (const { replicas } of this.#entries.values()) {
      const count = replicas.get(service);
      if (count !== undefined) return count;
    }
    return undefined;
  }

  /**
   * The project as it would be after `apply`. A service that scales keeps the count it has, or the one that is found
   * running; the count of any other is the file's, as with compose.
   *
   * @param found replicas that exist, by service
   */
  withProject(project: Project, found: ReadonlyMap<ServiceId, number>): DesiredProject {
    this.#refuseSharedIds(project);
    const before = this.#entries.get(project.name);
    const kept = before?.removing === false ? before.replicas : undefined;
    const counts = project.services.map((service): [ServiceId, number] => {
      if (service.global === true) return [service.id, 1];
      if (service.scaling === undefined) return [service.id, service.initialReplicas];
      const { minReplicas, maxReplicas } = service.scaling;
      const count = kept?.get(service.id) ?? found.get(service.id) ?? service.initialReplicas;
      return [service.id, Math.min(Math.max(count, minReplicas), maxReplicas)];
    });
    return { project, replicas: new Map(counts), removing: false };
  }

  /** @param besides is written in the same transaction */
  apply(desired: DesiredProject, besides: () => void = () => undefined): void {
    const { project, replicas } = desired;
    this.#store.transaction(() => {
      besides();
      this.#store.run("DELETE FROM desired_replicas WHERE project = ?", project.name);
      this.#store.run(
        `INSERT INTO projects (name, removing, body) VALUES (?, 0, ?)
         ON CONFLICT (name) DO UPDATE SET removing = 0, body = excluded.body`,
        project.name,
        JSON.stringify(project),
      );
      for (const [service, count] of replicas) {
        this.#store.run(
          "INSERT INTO desired_replicas (service, project, replicas) VALUES (?, ?, ?)",
          service,
          project.name,
          count,
        );
      }
    });
    this.#entries.set(project.name, { project, replicas: new Map(replicas), removing: false });
  }

  setReplicas(service: ServiceId, count: number): void {
    for (const { replicas } of this.#entries.values()) {
      if (!replicas.has(service)) continue;
      this.#store.run("UPDATE desired_replicas SET replicas = ? WHERE service = ?", count, service);
      replicas.set(service, count);
    }
  }

  /** Marks the project: nothing of it should be there. It is kept until that is so. */
  startRemoval(name: string): void {
    this.#store.run("UPDATE projects SET removing = 1 WHERE name = ?", name);
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.removing = true;
  }

  /** @param besides is written in the same transaction */
  finishRemoval(name: string, besides: () => void = () => undefined): void {
    this.#store.transaction(() => {
      besides();
      this.#store.run("DELETE FROM desired_replicas WHERE project = ?", name);
      this.#store.run("DELETE FROM projects WHERE name = ?", name);
    });
    this.#entries.delete(name);
  }

  /** `a_b` + `c` and `a` + `b_c` are one id, as they are one name in Swarm. */
  #refuseSharedIds(project: Project): void {
    // A project that is being removed has its replicas still.
    for (const { project: other } of this.#entries.values()) {
      if (other.name === project.name) continue;
      const shared = project.services.find(({ id }) => other.services.some((service) => service.id === id));
      if (shared === undefined) continue;
      throw new FlyballError(
        "COMPOSE_INVALID",
        `service ${shared.name} of project ${project.name} would have the id ${shared.id}, which project ${other.name} has: rename one`,
      );
    }
  }
}
