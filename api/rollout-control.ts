import type { RolloutAnswer } from "../core/wire-rollouts.ts";

/** What the API can ask about rollouts. Every method that names a service throws NOT_FOUND when there is none. */
export interface RolloutControl {
  /** Of every service, the one that runs or ran last. */
  readonly rollouts: readonly RolloutAnswer[];
  /** @throws FlyballError NOT_FOUND also when there is no healthy template to go back to */
  rollback(id: string): RolloutAnswer;
  /** @throws FlyballError NOT_FOUND also when no rollout is paused */
  resumeRollout(id: string): RolloutAnswer;
  readonly trials: {
    /** @throws FlyballError NOT_FOUND also when nothing is on trial, OUT_OF_BOUNDS */
    promote(id: string, weightRatio?: number): RolloutAnswer;
    /** @throws FlyballError NOT_FOUND also when nothing is on trial */
    abort(id: string): RolloutAnswer;
  };
}
