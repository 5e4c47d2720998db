import type { Doctor, FailureView, Leftovers, SweepRequest, Swept } from "../core/wire-care.ts";

/** What the API can ask about what replicas left behind, and about what stands in the way of more of them. */
export interface CareControl {
  /** Newest first. @throws FlyballError NOT_FOUND */
  failures(id: string): readonly FailureView[];
  /** @param project absent: all. @throws FlyballError NOT_FOUND */
  doctor(project: string | undefined): Promise<Doctor>;
  leftovers(): Promise<Leftovers>;
  /** Removes those of the keys that may still be removed. */
  sweep(request: SweepRequest): Promise<Swept>;
}
