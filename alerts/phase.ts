import type { Finding, RuleTiming } from "./rule.ts";
import type { AlertState, Transition } from "./state.ts";

/** A moment, and how far it is from the one before. */
export interface Moment {
  readonly nowMs: number;
  /** Since the look before that counts as watched: 0 when nobody looked for long, or the clock went back. */
  readonly watchedMs: number;
}

export interface Step {
  /** Absent: inactive. */
  readonly after?: AlertState;
  readonly transitions: readonly Transition[];
}

/** What somebody who has never been seen would be. */
export type NewAlert = Pick<AlertState, "key" | "fingerprint" | "rule" | "severity" | "labels">;

/**
 * One alert, one moment further: inactive → pending → firing → resolved. Only what was watched counts: of a moment
 * of which nothing is known the alert neither comes nearer to firing nor to being over.
 */
export function advance(
  before: AlertState | undefined,
  finding: Finding,
  timing: RuleTiming,
  identity: () => NewAlert,
  moment: Moment,
): Step {
  const truth = finding.truth ?? { keep: undefined, fire: true, resolve: false }[timing.noData];
  if (before === undefined) return truth === true ? begin(identity(), finding, timing, moment) : NOTHING;
  if (truth === undefined) return unknown(before, moment);
  const known = seenAgain(before, moment);
  const step =
    before.phase === "pending"
      ? pending(known.after, truth, finding, timing, { ...moment, watchedMs: known.watchedMs })
      : firing(known.after, truth, finding, timing, { ...moment, watchedMs: known.watchedMs });
  if (known.transitions.length === 0) return step;
  return { ...step, transitions: [...known.transitions, ...step.transitions] };
}

/** Its subject is gone, or its rule: there is nothing left to be alerted of. */
export function end(before: AlertState, nowMs: number): Step {
  if (before.phase === "pending") return calmed(before, nowMs);
  return resolved(before, nowMs);
}

/** Nobody could look. */
export function unknown(before: AlertState, { nowMs }: Moment): Step {
  if (before.missingSinceMs !== undefined) return { after: before, transitions: [] };
  const after = { ...before, missingSinceMs: nowMs };
  return { after, transitions: [{ kind: "missing", atMs: nowMs, alert: after }] };
}

const NOTHING: Step = { transitions: [] };

function begin(identity: NewAlert, finding: Finding, timing: RuleTiming, { nowMs }: Moment): Step {
  const alert: AlertState = {
    ...identity,
    phase: "pending",
    pendingAtMs: nowMs,
    heldMs: 0,
    ...wordsOf(finding),
  };
  const begun: Transition = { kind: "pending", atMs: nowMs, alert };
  if (timing.forMs > 0) return { after: alert, transitions: [begun] };
  const step = fire(alert, nowMs);
  return { ...step, transitions: [begun, ...step.transitions] };
}

function pending(
  before: AlertState,
  truth: boolean,
  finding: Finding,
  timing: RuleTiming,
  { nowMs, watchedMs }: Moment,
): Step {
  if (!truth) return calmed(before, nowMs);
  const after = { ...before, ...freshOf(finding, before), heldMs: before.heldMs + watchedMs };
  return after.heldMs >= timing.forMs ? fire(after, nowMs) : { after, transitions: [] };
}

function firing(
  before: AlertState,
  truth: boolean,
  finding: Finding,
  timing: RuleTiming,
  { nowMs, watchedMs }: Moment,
): Step {
  const { clearing, ...rest } = before;
  if (truth) {
    // What is said of it changes each second; it is a change when somebody is told.
    const after = { ...rest, ...freshOf(finding, before), heldMs: 0 };
    return { after, transitions: [] };
  }
  const heldMs = clearing === true ? before.heldMs + watchedMs : 0;
  if (heldMs >= timing.keepFiringForMs) return resolved(before, nowMs);
  return { after: { ...rest, clearing: true, heldMs }, transitions: [] };
}

function fire(alert: AlertState, nowMs: number): Step {
  const after: AlertState = { ...alert, phase: "firing", firingAtMs: nowMs, heldMs: 0 };
  return { after, transitions: [{ kind: "firing", atMs: nowMs, alert: after }] };
}

function calmed(before: AlertState, nowMs: number): Step {
  return { transitions: [{ kind: "calmed", atMs: nowMs, alert: before }] };
}

function resolved(before: AlertState, nowMs: number): Step {
  const { clearing: _clearing, missingSinceMs: _missing, ...rest } = before;
  // A clock that went back does not make an alert end before it began.
  const resolvedAtMs = Math.max(nowMs, before.firingAtMs ?? nowMs);
  const alert: AlertState = { ...rest, phase: "resolved", resolvedAtMs, heldMs: 0 };
  return { transitions: [{ kind: "resolved", atMs: nowMs, alert }] };
}

function seenAgain(
  before: AlertState,
  { nowMs, watchedMs }: Moment,
): { after: AlertState; transitions: Transition[]; watchedMs: number } {
  if (before.missingSinceMs === undefined) return { after: before, transitions: [], watchedMs };
  const { missingSinceMs: _missing, ...after } = before;
  // The time since the last look is time of which nothing is known.
  return { after, transitions: [{ kind: "seen", atMs: nowMs, alert: after }], watchedMs: 0 };
}

type Words = Pick<AlertState, "summary" | "advice" | "signal">;

function wordsOf({ summary, advice, signal }: Finding): Words {
  return { summary, advice, ...(signal === undefined ? {} : { signal }) };
}

/** The words of the moment; those of a moment of which nothing is known say nothing. */
function freshOf(finding: Finding, before: AlertState): Words {
  return finding.truth === true ? wordsOf(finding) : before;
}
