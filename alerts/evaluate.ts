import type { Notification } from "../core/alert.ts";
import { SECOND_MS } from "../core/units.ts";
import type { AlertFacts } from "./facts.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { type GroupState, notify, type Route } from "./grouping.ts";
import { advance, end, type Moment, type NewAlert, type Step, unknown } from "./phase.ts";
import type { AlertRule, Finding, RuleTiming } from "./rule.ts";
import type { AlertState, Transition } from "./state.ts";
import { type Inhibition, type Silence, type Suppression, suppressions } from "./suppression.ts";

/** All that is remembered from one evaluation to the next. */
export interface AlertBook {
  /** Absent: the first look. */
  readonly lookedAtMs?: number;
  /** Pending and firing, by key. */
  readonly alerts: ReadonlyMap<string, AlertState>;
  /** Over, and some channel that was told of it still has to be told so; by key. */
  readonly ended: ReadonlyMap<string, AlertState>;
  readonly groups: ReadonlyMap<string, GroupState>;
  /** How many incidents there were since the start: two at one instant of a clock that went back are two. */
  readonly incidents: number;
}

export interface EvaluationInput {
  readonly nowMs: number;
  readonly facts: AlertFacts;
  readonly rules: readonly AlertRule[];
  readonly before: AlertBook;
  readonly silences: readonly Silence[];
  readonly inhibitions: readonly Inhibition[];
  readonly routes: readonly Route[];
}

export interface EvaluationOutput {
  readonly after: AlertBook;
  readonly transitions: readonly Transition[];
  readonly notifications: readonly Notification[];
  /** Why nobody is told of a firing alert, by its key. */
  readonly suppressed: ReadonlyMap<string, Suppression>;
}

export const EMPTY_BOOK: AlertBook = { alerts: new Map(), ended: new Map(), groups: new Map(), incidents: 0 };

/** Longer than this between two looks, and nobody was watching. */
const LONGEST_GAP_MS = 30 * SECOND_MS;

/** Every alert and every channel, one moment further. Says what is to be told to whom, and tells nobody. */
export function evaluate(input: EvaluationInput): EvaluationOutput {
  const { nowMs, before, facts, rules, routes } = input;
  const moment = momentOf(before.lookedAtMs, nowMs);
  const alerts = new Map<string, AlertState>();
  const ended = new Map(before.ended);
  const transitions: Transition[] = [];
  const take = (key: string, step: Step) => {
    if (step.after !== undefined) alerts.set(key, step.after);
    for (const transition of step.transitions) {
      transitions.push(transition);
      if (transition.kind === "resolved") ended.set(key, transition.alert);
    }
  };

  const active = new Set(Array.from(before.alerts.values(), ({ rule }) => rule));
  const seen = new Set<string>();
  const blind = new Set<string>();
  for (const rule of rules) {
    const findings = rule.look(facts, nowMs);
    if (findings === undefined) blind.add(rule.name);
    for (const finding of findings ?? []) {
      const timing = finding.timing ?? rule;
      // Nearly all of them, nearly always.
      if (!active.has(rule.name) && !mayBegin(finding, timing)) continue;
      const key = keyOf(rule, timing, finding);
      // Two of one identity are one alert.
      if (seen.has(key)) continue;
      seen.add(key);
      const identity = () => newAlert(key, rule, timing, finding);
      take(key, advance(before.alerts.get(key), finding, timing, identity, moment));
    }
  }
  for (const [key, alert] of before.alerts) {
    if (seen.has(key)) continue;
    take(key, blind.has(alert.rule) ? unknown(alert, moment) : end(alert, nowMs));
  }

  const suppressed = suppressions(alerts.values(), { ...input, nowMs });
  const told = notify({
    nowMs,
    routes,
    alerts,
    suppressed,
    ended,
    groups: before.groups,
    incidents: before.incidents,
  });
  return {
    after: {
      lookedAtMs: nowMs,
      alerts,
      ended: stillToTell(ended, alerts, told.groups),
      groups: told.groups,
      incidents: told.incidents,
    },
    transitions,
    notifications: told.notifications,
    suppressed,
  };
}

function momentOf(lookedAtMs: number | undefined, nowMs: number): Moment {
  const gapMs = lookedAtMs === undefined ? 0 : nowMs - lookedAtMs;
  return { nowMs, watchedMs: gapMs > 0 && gapMs <= LONGEST_GAP_MS ? gapMs : 0 };
}

function mayBegin({ truth }: Finding, { noData }: RuleTiming): boolean {
  return truth ?? noData === "fire";
}

function keyOf({ name }: AlertRule, { severity }: RuleTiming, { subject }: Finding): string {
  let key = `${name}\n${severity}`;
  for (const label in subject) key += `\n${label}\n${subject[label]}`;
  return key;
}

/** Its fingerprint is of what it is, so that it stays the same when somebody changes a label to route by. */
function newAlert(
  key: string,
  rule: AlertRule,
  { severity }: RuleTiming,
  { subject, labels }: Finding,
): NewAlert {
  const identity = { ...subject, alertname: rule.name, severity };
  return {
    key,
    fingerprint: fingerprintOf(identity),
    rule: rule.name,
    severity,
    labels: { ...labels, ...identity },
  };
}

/** Those that some channel holds for firing, and that do not fire again. */
function stillToTell(
  ended: ReadonlyMap<string, AlertState>,
  alerts: ReadonlyMap<string, AlertState>,
  groups: ReadonlyMap<string, GroupState>,
): ReadonlyMap<string, AlertState> {
  if (ended.size === 0) return ended;
  const open = new Set(Array.from(groups.values()).flatMap((group) => Object.keys(group.open)));
  return new Map(Array.from(ended).filter(([key]) => open.has(key) && alerts.get(key)?.phase !== "firing"));
}
