import type { LabEngine } from "../lab/engines.ts";

/** Where a run takes place. */
export interface Ground {
  /** "20.10", "26.1", or "process". */
  readonly name: string;
  /** Absent: the process engine. */
  readonly lab?: LabEngine;
  /** Nobody else works on the engine: what is there beside what was there before is a leak. */
  readonly isOwn: boolean;
  /** The engine itself is ended, or has no room, in the middle of what it does. */
  readonly engineDies?: boolean;
}

/** What is to be done when a run is over, whatever became of it, the last first. */
export type Releases = { after(work: () => unknown): void };
