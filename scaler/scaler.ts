import { FlyballError, isFlyballError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Store } from "../core/store.ts";
import type { Decision, Rule, ScalingPolicy, Service, ServiceId } from "../core/types.ts";
import { describe } from "./describe.ts";
import { explain } from "./explain.ts";
import type { PastDemand } from "./foresight.ts";
import { Governor } from "./governor.ts";
import { DecisionJournal, type JournalEntry } from "./journal.ts";
import { type ModeRequest, Modes, rulesText } from "./modes.ts";
import { type LevelReader, observe, type ScalingSubject } from "./observe.ts";
import { type Mode, type Recorded, type Replay, replay } from "./record.ts";
import { StartTime } from "./start-time.ts";
import { dropsDecisions } from "./tables.ts";
import { type WhatIf, whatIf } from "./what-if.ts";

export interface ScalerOptions {
  readonly store: Store;
  readonly log: Log;
  /** How rules begin that have never scaled their service. */
  readonly firstRun?: "live" | "shadow";
  /** What a service as a whole used in the past, oldest first; for those whose policy predicts. */
  readonly pastDemand?: (service: ServiceId, rule: Rule) => Iterable<PastDemand>;
}

/** A run of evaluations that came out the same: from `atMs` to `lastAtMs`, in the words and numbers of the newest. */
export interface RecordedDecision extends Decision {
  readonly evaluations: number;
  readonly lastAtMs: number;
}

export interface Explanation {
  readonly decision?: Decision;
  readonly mode?: Mode;
  readonly whatIf?: WhatIf;
  readonly lines: readonly string[];
}

/** How many of the recorded evaluations come out the same when they are decided again. */
export interface Verification {
  readonly recorded: number;
  readonly identical: number;
  readonly firstDifference?: Replay & { readonly atMs: number };
}

/** What is remembered and learned of a service, for as long as its template and its policy are the same. */
interface Governed {
  readonly id: ServiceId;
  readonly templateHash: string;
  readonly policy: ScalingPolicy;
  readonly rules: string;
  readonly governor: Governor;
  readonly startTime: StartTime;
}

/**
 * Evaluates the services that scale: builds the input, asks `decide`, keeps what it remembers, records what it
 * answers. Acts on nothing: the caller does what the decisions say.
 */
export class Scaler {
  readonly #journal: DecisionJournal;
  readonly #modes: Modes;
  readonly #log: Log;
  readonly #governed = new Map<ServiceId, Governed>();
  readonly #latest = new Map<ServiceId, Recorded>();
  readonly #pastDemand: NonNullable<ScalerOptions["pastDemand"]>;
  #recording = true;

  constructor({ store, log, firstRun = "live", pastDemand = () => [] }: ScalerOptions) {
    if (dropsDecisions(store)) {
      log.warn("the decisions that an earlier version recorded cannot be decided again, and were dropped");
    }
    this.#journal = new DecisionJournal(store);
    this.#modes = new Modes(store, firstRun);
    this.#log = log;
    this.#pastDemand = pastDemand;
  }

  /**
   * One evaluation of each subject that has a policy. When the decisions cannot be recorded none is returned: a
   * change that could not be explained later is not made.
   */
  evaluate(subjects: readonly ScalingSubject[], reader: LevelReader, nowMs: number): readonly Decision[] {
    const evaluated: [Governed, ReturnType<Governor["evaluate"]>][] = [];
    const records: Recorded[] = [];
    const isRecorded = this.#recorded(() => {
      const governed = subjects.map(({ service }) => this.#governedBy(service));
      this.#modes.admit(governed.filter((one) => one !== undefined));
      for (const [index, subject] of subjects.entries()) {
        const one = governed[index];
        if (one === undefined) continue;
        const { service, desired, replicas, noRoom, signsOfUse } = subject;
        one.startTime.observe(replicas);
        const startupMs = one.startTime.expectedMs;
        const mode = this.#modes.of(service.id, nowMs);
        const situation = {
          nowMs,
          service: service.id,
          desired,
          ...observe(subject, one.policy, reader, nowMs),
          single: service.singleReplicaReason !== undefined,
          ...(noRoom === undefined ? {} : { noRoom }),
          ...(signsOfUse === undefined ? {} : { signsOfUse }),
        };
        const result = one.governor.evaluate(situation, startupMs, mode !== "live");
        evaluated.push([one, result]);
        records.push({ input: result.input, evaluation: result.output.evaluation, mode, startupMs });
      }
      if (records.length > 0) this.#journal.record(records);
    });
    if (!isRecorded) return [];
    for (const [{ governor }, { output }] of evaluated) governor.commit(output);
    for (const record of records) this.#latest.set(record.evaluation.service, record);
    return records.map(decisionOf);
  }

  latest(service: ServiceId): Decision | undefined {
    const latest = this.#latest.get(service);
    return latest === undefined ? undefined : decisionOf(latest);
  }

  /** @throws FlyballError STORE_UNUSABLE */
  decisions(service: ServiceId, query: { limit: number; changesOnly: boolean }): RecordedDecision[] {
    return this.#journal.list(service, query).map(recordedDecisionOf);
  }

  /**
   * The decision in force at an instant, or the newest one, and its explanation line by line.
   *
   * @param troubleOf why an expression gives no number now; undefined when it does
   */
  explain(
    { id, scaling }: Service,
    atMs: number | undefined,
    troubleOf: (expression: string) => string | undefined = () => undefined,
  ): Explanation {
    if (scaling === undefined) return { lines: [`${id} has no scaling rule and keeps its count`] };
    const recorded = atMs === undefined ? this.#latest.get(id) : this.#journal.at(id, atMs);
    if (recorded === undefined) {
      const when =
        atMs === undefined ? "was not evaluated yet" : "was not evaluated by then, or it is not kept";
      return { lines: [`${id} ${when}`] };
    }
    const { input, mode } = recorded;
    return {
      decision: isEntry(recorded) ? recordedDecisionOf(recorded) : decisionOf(recorded),
      mode,
      whatIf: whatIf(input),
      // What is wrong now says nothing of what was wrong then.
      lines: explain(recorded, atMs === undefined ? troubleOf : () => undefined),
    };
  }

  /** Decides again on all that is recorded of a service, some at a time. @throws FlyballError STORE_FULL, STORE_UNUSABLE */
  async verify(service: ServiceId): Promise<Verification> {
    let [recorded, identical] = [0, 0];
    let firstDifference: Verification["firstDifference"];
    for (const entries of this.#journal.batches(service)) {
      for (const entry of entries) {
        const again = replay(entry);
        recorded += 1;
        if (again.recorded === again.replayed) identical += 1;
        else firstDifference ??= { ...again, atMs: entry.evaluation.atMs };
      }
      // Other services are waiting to be evaluated.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { recorded, identical, ...(firstDifference === undefined ? {} : { firstDifference }) };
  }

  /** @throws FlyballError NOT_SCALABLE, STORE_FULL, STORE_UNUSABLE */
  setMode({ id, scaling }: Service, request: ModeRequest, nowMs: number): Mode {
    if (scaling === undefined) {
      throw new FlyballError("NOT_SCALABLE", `${id} has no scaling rule: there is nothing to ${request}`);
    }
    return this.#modes.set(id, rulesText(scaling), request, nowMs);
  }

  /** Only watches the service until then. @throws FlyballError NOT_SCALABLE, STORE_FULL, STORE_UNUSABLE */
  pauseUntil({ id, scaling }: Service, untilMs: number): void {
    if (scaling === undefined) {
      throw new FlyballError(
        "NOT_SCALABLE",
        `${id} has no scaling rule that could go on: a count stays as it is set`,
      );
    }
    this.#modes.pauseUntil(id, rulesText(scaling), untilMs);
  }

  /** Of a service that scales, once it was evaluated. */
  modeOf(service: ServiceId): Mode | undefined {
    return this.#latest.get(service)?.mode;
  }

  /** From the order of a replica until it serves, of a service that scales; absent before one was seen to start. */
  startupMsOf(service: ServiceId): number | undefined {
    return this.#governed.get(service)?.startTime.learnedMs;
  }

  /** Drops what is older than is kept. What cannot be dropped now is so another time. */
  prune(nowMs: number): void {
    try {
      this.#journal.prune(nowMs);
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      this.#log.error({ err: error }, "old decisions cannot be dropped");
    }
  }

  forget(service: ServiceId): void {
    this.#governed.delete(service);
    this.#latest.delete(service);
  }

  /** Writes what is not on disk yet. To be called when nothing more will be evaluated. */
  close(): void {
    this.#recorded(() => this.#journal.flush());
  }

  #governedBy({ id, templateHash, scaling: policy }: Service): Governed | undefined {
    if (policy === undefined) return undefined;
    const known = this.#governed.get(id);
    // What another template needed says nothing about this one.
    const sameTemplate = known?.templateHash === templateHash ? known : undefined;
    if (sameTemplate?.policy === policy) return sameTemplate;
    const samePolicy = JSON.stringify(sameTemplate?.policy) === JSON.stringify(policy);
    const startTime = sameTemplate?.startTime ?? new StartTime();
    const governor =
      (samePolicy ? sameTemplate?.governor : undefined) ??
      this.#newGovernor(id, policy, startTime.expectedMs);
    const governed = { id, templateHash, policy, rules: rulesText(policy), governor, startTime };
    this.#governed.set(id, governed);
    return governed;
  }

  #newGovernor(service: ServiceId, policy: ScalingPolicy, startupMs: number): Governor {
    const governor = new Governor(policy);
    if (!policy.predict) return governor;
    for (const [index, rule] of policy.rules.entries()) {
      governor.remember(index, this.#pastDemand(service, rule), startupMs);
    }
    return governor;
  }

  #recorded(work: () => void): boolean {
    try {
      work();
      if (!this.#recording) this.#log.info("decisions are recorded again; scaling goes on");
      this.#recording = true;
      return true;
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      if (this.#recording) this.#log.error({ err: error }, "decisions cannot be recorded; scaling holds");
      this.#recording = false;
      return false;
    }
  }
}

/** The sentence is made when it is read: of most evaluations nobody does. */
function decisionOf({ evaluation, input: { policy }, mode }: Recorded): Decision {
  return {
    ...evaluation,
    get sentence() {
      return describe(evaluation, policy, mode);
    },
  };
}

function isEntry(recorded: Recorded): recorded is JournalEntry {
  return "evaluations" in recorded;
}

function recordedDecisionOf(entry: JournalEntry): RecordedDecision {
  const { evaluations, firstAtMs, evaluation, input, mode } = entry;
  return {
    ...evaluation,
    atMs: firstAtMs,
    lastAtMs: evaluation.atMs,
    sentence: describe(evaluation, input.policy, mode),
    evaluations,
  };
}
