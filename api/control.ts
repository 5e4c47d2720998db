import type {
  DecisionView,
  Explanation,
  ProjectAnswer,
  ProjectRequest,
  Readiness,
  ScaleAnswer,
  ScaleRequest,
  ServiceDetail,
  ServiceView,
} from "../core/wire.ts";

/** What the API can ask of the daemon. Every method that names a service throws NOT_FOUND when there is none. */
export interface Control {
  readiness(): Readiness;
  services(): readonly ServiceView[];
  service(id: string): ServiceDetail;
  /** Newest first. */
  decisions(id: string, query: { limit: number; changesOnly: boolean }): readonly DecisionView[];
  /** The decision in force at an instant, or the newest one, line by line for a person. */
  explain(id: string, atMs: number | undefined): Explanation;
  /** @throws FlyballError OUT_OF_BOUNDS, NOT_SCALABLE, NOT_FOUND */
  scale(id: string, request: ScaleRequest): Promise<ScaleAnswer>;
  /** @throws FlyballError COMPOSE_INVALID */
  applyProject(name: string, request: ProjectRequest): Promise<ProjectAnswer>;
  /** What `applyProject` would do; does nothing. */
  planProject(name: string, request: ProjectRequest): Promise<ProjectAnswer>;
  /** What a removal would do is in the plan of the answer; the project's replicas are stopped and removed. */
  removeProject(name: string): Promise<ProjectAnswer>;
  /** The Prometheus text of everything the daemon exports. */
  metrics(): Promise<{ contentType: string; text: string }>;
}
