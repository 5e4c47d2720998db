import type { ReplicaId, ServiceId } from "../../core/types.ts";
import type { FailureKind } from "./failure.ts";

/** What was found of a replica that failed, before it was started again or replaced. */
export interface Scene {
  readonly service: ServiceId;
  readonly slot: number;
  readonly replica: ReplicaId;
  readonly name: string;
  readonly failure: FailureKind;
  /** One clause for a person, as `ended with status 3`. */
  readonly reason: string;
  readonly takenAtMs: number;
  readonly startedAtMs?: number;
  readonly exitedAtMs?: number;
  readonly exitCode?: number;
  readonly oomKilled?: boolean;
  /** Its last lines; empty when it wrote nothing, absent when they could not be read. */
  readonly log?: string;
  /** The engine's own description of it, with secrets masked. */
  readonly inspect?: unknown;
  /** What could not be had, and why. */
  readonly missing: readonly string[];
}
