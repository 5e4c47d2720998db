import type {
  AuditLine,
  AutoscaleAnswer,
  AutoscaleRequest,
  DecisionView,
  Explanation,
  ProjectAnswer,
  ProjectRequest,
  Readiness,
  ScaleAnswer,
  ScaleRequest,
  ServiceDetail,
  ServiceView,
  Verification,
} from "../core/wire.ts";
import type { History } from "../core/wire-history.ts";
import type { AccessControl } from "./access-control.ts";
import type { AlertControl } from "./alert-control.ts";
import type { CareControl } from "./care-control.ts";
import type { DiscoveryControl } from "./discovery-control.ts";
import type { HistorySpan } from "./history.ts";
import type { JobControl, LogControl } from "./job-control.ts";
import type { RolloutControl } from "./rollout-control.ts";

/** What the API can ask of the daemon. Every method that names a service throws NOT_FOUND when there is none. */
export interface Control extends LogControl {
  readiness(): Readiness;
  services(): readonly ServiceView[];
  service(id: string): ServiceDetail;
  /** Newest first. */
  decisions(id: string, query: { limit: number; changesOnly: boolean }): readonly DecisionView[];
  /** Decides again on every evaluation that is recorded of the service. */
  verifyDecisions(id: string): Promise<Verification>;
  /** The decision in force at an instant, or the newest one, line by line for a person. */
  explain(id: string, atMs: number | undefined): Explanation;
  /** What the service used, minute by minute: a day of it at most. */
  history(id: string, span: HistorySpan): History;
  /** Whether the service is scaled, or only watched. @throws FlyballError NOT_SCALABLE, NOT_FOUND */
  setAutoscale(id: string, request: AutoscaleRequest): AutoscaleAnswer;
  /** @throws FlyballError OUT_OF_BOUNDS, NOT_SCALABLE, NOT_FOUND */
  scale(id: string, request: ScaleRequest): Promise<ScaleAnswer>;
  /** @throws FlyballError COMPOSE_INVALID */
  applyProject(name: string, request: ProjectRequest): Promise<ProjectAnswer>;
  /** What `applyProject` would do; does nothing. */
  planProject(name: string, request: ProjectRequest): Promise<ProjectAnswer>;
  /** What a removal would do is in the plan of the answer; the project's replicas are stopped and removed. */
  removeProject(name: string): Promise<ProjectAnswer>;
  /** Counts that were changed by hand or by others, newest first. */
  audit(limit: number): readonly AuditLine[];
  readonly deployments: RolloutControl;
  readonly jobs: JobControl;
  /** What replicas left behind, and what stands in the way of more of them. */
  readonly care: CareControl;
  /** What is wrong, and who is told of it. */
  readonly alerts: AlertControl;
  /** Where services answer. */
  readonly discovery: DiscoveryControl;
  /** Who may ask, and what was asked. */
  readonly access: AccessControl;
  /** The Prometheus text of everything the daemon exports. */
  metrics(): Promise<{ contentType: string; text: string }>;
}
