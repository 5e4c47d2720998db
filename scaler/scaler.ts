import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Decision, Service, ServiceId } from "../core/types.ts";
import { decide, type ScalingMemory } from "./decide.ts";
import { describe, explainLines } from "./describe.ts";
import { type ScalingSubject, scalingInput, type UseReader } from "./input.ts";
import { DecisionJournal, type JournalEntry } from "./journal.ts";

/**
 * Evaluates the services that scale: builds the input, asks `decide`, keeps what it remembers, records what it
 * answers. Acts on nothing: the caller does what the decisions say.
 */
export class Scaler {
  readonly #journal: DecisionJournal;
  readonly #log: Log;
  readonly #memories = new Map<ServiceId, { templateHash: string; memory: ScalingMemory }>();
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
  evaluate(subjects: readonly ScalingSubject[], readUse: UseReader, nowMs: number): readonly Decision[] {
    const decisions: Decision[] = [];
    const memories = new Map<ServiceId, ScalingMemory>();
    for (const subject of subjects) {
      if (!scales(subject)) continue;
      const { service } = subject;
      const input = scalingInput(subject, readUse, this.#memoryOf(service), nowMs);
      const { evaluation, memory } = decide(input);
      memories.set(service.id, memory);
      decisions.push({ ...evaluation, sentence: describe(evaluation, service.scaling) });
    }
    if (!this.#record(decisions)) return [];
    for (const { service } of subjects) {
      const memory = memories.get(service.id);
      if (memory !== undefined)
        this.#memories.set(service.id, { templateHash: service.templateHash, memory });
    }
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
    this.#memories.delete(service);
    this.#latest.delete(service);
  }

  #memoryOf(service: Service): ScalingMemory | undefined {
    const kept = this.#memories.get(service.id);
    // What another template needed says nothing about this one.
    return kept?.templateHash === service.templateHash ? kept.memory : undefined;
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

function scales(
  subject: ScalingSubject,
): subject is ScalingSubject & { readonly service: Service & { scaling: NonNullable<Service["scaling"]> } } {
  return subject.service.scaling !== undefined;
}
