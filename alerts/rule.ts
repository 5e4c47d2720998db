import type { NoData, Severity } from "../core/alert.ts";
import type { AlertRuleName } from "../core/alert-rules.ts";
import type { AlertFacts } from "./facts.ts";

/** What a rule says of one subject at one moment. */
export interface Finding {
  /** What the subject is: with the rule's name and severity, what makes an alert this one and no other. */
  readonly subject: Readonly<Record<string, string>>;
  /** Labels for routing and reading that may change while the alert stays the same. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Undefined: not known. */
  readonly truth: boolean | undefined;
  /** One sentence: what is wrong. Read when it is true. */
  readonly summary: string;
  /** What to do next. */
  readonly advice: string;
  /** What the subject asks for itself, in place of what the rule has. */
  readonly timing?: RuleTiming;
  /** The series that shows it best. */
  readonly signal?: ChartSignal;
}

/** A series of a service, and where it should not be. */
export interface ChartSignal {
  readonly metric: "cpu" | "memory" | "rps" | "latency" | "replicas";
  readonly threshold?: number;
}

export interface RuleTiming {
  readonly severity: Severity;
  /** How long it must be true before the alert fires. */
  readonly forMs: number;
  /** How long it must be false before the alert has resolved. */
  readonly keepFiringForMs: number;
  readonly noData: NoData;
}

/** Something worth being told of. */
export interface AlertRule extends RuleTiming {
  /** The `alertname`. */
  readonly name: AlertRuleName;
  /** One line for the documentation: when it fires. */
  readonly meaning: string;
  /**
   * One finding for each subject that there is; undefined when it is not known which there are. Pure. A subject that
   * is not among them is gone, and its alert with it.
   */
  look(facts: AlertFacts, nowMs: number): readonly Finding[] | undefined;
}
