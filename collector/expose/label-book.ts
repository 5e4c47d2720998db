import type { ReplicaId } from "../../core/types.ts";
import type { Discovered } from "../discover/discovered.ts";
import { type Label, type LabelProblem, type LabelRules, shownLabels } from "./label-rules.ts";

interface Entry {
  readonly labels: readonly Label[];
  readonly problems: readonly LabelProblem[];
}

export interface LabelLog {
  warn(fields: object, message: string): void;
}

/**
 * The labels of all containers that are shown, and how many different values each label has among them: one that has
 * too many would multiply the series of whoever stores them, so the container that comes next is shown without it.
 */
export class LabelBook {
  readonly #rules: LabelRules;
  readonly #log: LabelLog;
  readonly #entries = new Map<ReplicaId, Entry>();
  /** By label, then by value: how many containers have it. */
  readonly #uses = new Map<string, Map<string, number>>();
  readonly #problems = new Map<string, number>();
  readonly #told = new Set<string>();

  constructor(rules: LabelRules, log: LabelLog) {
    this.#rules = rules;
    this.#log = log;
  }

  /** By reason, of the containers that are in the book now. */
  get problems(): ReadonlyMap<string, number> {
    return this.#problems;
  }

  /** Enters a container, or what it has become. */
  enter(container: Discovered): readonly Label[] {
    this.remove(container.id);
    const { labels, problems } = shownLabels(container, this.#rules);
    const entered: Label[] = [];
    const met: LabelProblem[] = [];
    for (const { key, problem } of problems) {
      met.push(problem);
      this.#tell(key, problem);
    }
    for (const label of labels) {
      if (this.#use(label)) entered.push(label);
      else {
        met.push("too many values");
        this.#tell(label.name, "too many values");
      }
    }
    this.#entries.set(container.id, { labels: entered, problems: met });
    for (const problem of met) this.#count(problem, 1);
    return entered;
  }

  remove(id: ReplicaId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    for (const { name, value } of entry.labels) {
      const values = this.#uses.get(name);
      const left = (values?.get(value) ?? 0) - 1;
      if (left > 0) values?.set(value, left);
      else values?.delete(value);
      if (values?.size === 0) this.#uses.delete(name);
    }
    for (const problem of entry.problems) this.#count(problem, -1);
  }

  #use({ name, value }: Label): boolean {
    const values = this.#uses.get(name) ?? new Map<string, number>();
    const uses = values.get(value) ?? 0;
    if (uses === 0 && values.size >= this.#rules.maxValuesPerLabel) return false;
    values.set(value, uses + 1);
    this.#uses.set(name, values);
    return true;
  }

  #count(problem: LabelProblem, change: number): void {
    this.#problems.set(problem, (this.#problems.get(problem) ?? 0) + change);
  }

  /** Once for each label and problem: it would be the same for every container that comes. */
  #tell(label: string, problem: LabelProblem): void {
    const what = `${problem} ${label}`;
    // Keys are anybody's: what was told is bounded too.
    if (this.#told.has(what) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(what);
    this.#log.warn(
      { label, problem, limits: this.#rules.maxValuesPerLabel },
      "a label of a container is not shown as it is",
    );
  }
}

const MAX_TOLD = 1_000;
