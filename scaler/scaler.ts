import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Decision, ScalingPolicy, Service, ServiceId } from "../core/types.ts";
import type { ScalingOutput } from "./decide.ts";
import { describe, explainLines } from "./describe.ts";
import { Governor } from "./governor.ts";
import { DecisionJournal, type JournalEntry } from "./journal.ts";
import { type LevelReader, observe, type ScalingSubject } from "./observe.ts";
import { StartTime } from "./start-time.ts";

/** What is remembered and learned of a service, for as long as its template is the same. */
interface Governed {
  readonly templateHash: string;
  readonly governor: Governor;
  readonly startTime: StartTime;
}

/**
 * Evaluates the services that scale: builds the input, asks `decide`, keeps what it remembers, records what it
 * answers. Acts on nothing: the caller does what the decisions say.
 */
export class Scaler {
  readonly #journal: DecisionJournal;
  readonly #log: Log;
  readonly #governed = new Map<ServiceId, Governed>();
  readonly #latest = new Map<ServiceId, Decision>();
  #recording = true;

  constructor(options: { store: Store; log: Log }) {
    this.#journal = new DecisionJournal(options.store);
    this.#log = options.log;
  }

  /**
   * One evaluation of each subject that has a policy. When the decisions cannot be recorded none is returned: a
   * change that could not be explained later is not made.
   */
  evaluate(subjects: readonly ScalingSubject[], reader: LevelReader, nowMs: number): readonly Decision[] {
    const decisions: Decision[] = [];
    const outputs: [Governor, ScalingOutput][] = [];
    for (const subject of subjects) {
      const { service, desired, replicas } = subject;
      const { scaling } = service;
      if (scaling === undefined) continue;
      const { governor, startTime } = this.#governedBy(service, scaling);
      startTime.observe(replicas);
      const situation = {
        nowMs,
        service: service.id,
        desired,
        ...observe(subject, scaling, reader, nowMs),
        single: service.singleReplicaReason !== undefined,
      };
      const { output } = governor.evaluate(situation, startTime.expectedMs);
      outputs.push([governor, output]);
      decisions.push({ ...output.evaluation, sentence: describe(output.evaluation, scaling) });
    }
    if (!this.#record(decisions)) return [];
    for (const [governor, output] of outputs) governor.commit(output);
    for (const decision of decisions) this.#latest.set(decision.service, decision);
    return decisions;
  }

  latest(service: ServiceId): Decision | undefined {
    return this.#latest.get(service);
  }

  decisions(service: ServiceId, query: { limit: number; changesOnly: boolean }): JournalEntry[] {
    return this.#journal.list(service, query);
  }

  /** The decision in force at an instant, or the newest one, and its explanation line by line. */
  explain(service: Service, atMs: number | undefined): { decision?: Decision; lines: readonly string[] } {
    const { scaling } = service;
    if (scaling === undefined) return { lines: [`${service.id} has no scaling rule and keeps its count`] };
    const decision = atMs === undefined ? this.#latest.get(service.id) : this.#journal.at(service.id, atMs);
    if (decision === undefined) {
      const when =
        atMs === undefined ? "was not evaluated yet" : "was not evaluated by then, or it is not kept";
      return { lines: [`${service.id} ${when}`] };
    }
    return { decision, lines: explainLines(decision, scaling) };
  }

  prune(nowMs: number): void {
    this.#journal.prune(nowMs);
  }

  forget(service: ServiceId): void {
    this.#governed.delete(service);
    this.#latest.delete(service);
  }

  #governedBy({ id, templateHash }: Service, policy: ScalingPolicy): Governed {
    const known = this.#governed.get(id);
    // What another template needed says nothing about this one.
    if (known?.templateHash === templateHash) return known;
    const governed = { templateHash, governor: new Governor(policy), startTime: new StartTime() };
    this.#governed.set(id, governed);
    return governed;
  }

  #record(decisions: readonly Decision[]): boolean {
    try {
      if (decisions.length > 0) this.#journal.record(decisions);
      if (!this.#recording) this.#log.info("decisions are recorded again; scaling goes on");
      this.#recording = true;
      return true;
    } catch (error) {
      if (this.#recording) this.#log.error({ err: error }, "decisions cannot be recorded; scaling holds");
      this.#recording = false;
      return false;
    }
  }
}
