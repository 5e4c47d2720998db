/** What is asked for of a rollout, as compose's `deploy.update_config`. */
export interface UpdateRequest {
  /** Whether the new replica comes before the old one goes. */
  readonly order?: "start-first" | "stop-first";
  /** Replicas at a time; 0: all at once. */
  readonly parallelism?: number;
  /** After a batch, before the next one. */
  readonly delayMs?: number;
  /** How long a new replica must have been ready to count as healthy. */
  readonly monitorMs?: number;
  /** Share of new replicas that may fail. */
  readonly maxFailureRatio?: number;
  readonly failureAction?: "pause" | "rollback" | "continue";
  /** Without progress for this long the rollout has failed. */
  readonly progressDeadlineMs?: number;
}
