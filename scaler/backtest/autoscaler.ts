import type { Load } from "./load.ts";

/** What there is to see at one step. The same object at every step: what is to be remembered must be copied. */
export interface Observation {
  readonly nowMs: number;
  /** Replicas ordered, those on their way included. */
  readonly desired: number;
  /** Replicas that serve. */
  readonly serving: number;
  /** Share of the CPU of those that serve, 0..1: it saturates, so that 1 says "1 or anything more". */
  readonly utilization: number;
  /**
   * The exact demand in replica-units, which does not saturate. Only for a policy that sees every request pass, as
   * a proxy does; whoever reads CPU does not know it.
   */
  readonly demand: number;
}

/** A policy under test. It may remember what it saw: each simulation takes a new one. */
export interface Autoscaler {
  readonly name: string;
  /** How many replicas there should be from now on; the simulation holds the count within the bounds. */
  next(observation: Observation): number;
}

/** What every policy of a comparison has in common. */
export interface Situation {
  readonly load: Load;
  /** From the order of a replica until it serves. */
  readonly startDelayMs: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Serving at the first step; absent: as many as the first demand takes. */
  readonly initialReplicas?: number;
}
