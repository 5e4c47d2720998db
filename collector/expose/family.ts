/** What one number of a family counts in; `""` for plain numbers. */
export type Unit = "" | "seconds" | "bytes" | "ratio" | "microseconds" | "pages";

/**
 * One metric family: the only place that says how it is called and where its values come from. `Subject` is what one
 * set of its series tells of: a container, the machine, the collector itself.
 */
export interface Family<Subject> {
  readonly name: string;
  /** `unknown`: known by a name that no counter may have, and so without a type wherever it comes from. */
  readonly type: "counter" | "gauge" | "unknown";
  readonly unit: Unit;
  readonly help: string;
  /** Names of the labels beside the subject's own. */
  readonly labels: readonly string[];
  readonly rows: Rows<Subject>;
}

/** The series of one subject in one family. The number of rows may change, what a row means may not without its labels. */
export interface Rows<Subject> {
  count(subject: Subject): number;
  /** Values of the family's labels, in their order. */
  labels(subject: Subject, row: number): readonly string[];
  /** Undefined: there is no such series now. */
  value(subject: Subject, row: number): number | undefined;
  /** The labels may differ from one tick to the next. */
  readonly varies: boolean;
}

type Value<Subject> = (subject: Subject) => number | undefined;

const NO_LABELS: readonly string[] = [];

/** One series without further labels. */
export function one<Subject>(value: Value<Subject>): Rows<Subject> {
  return { count: () => 1, labels: () => NO_LABELS, value, varies: false };
}

/** Always the same series, each with the values of its labels. */
export function several<Subject>(
  ...series: readonly (readonly [labels: readonly string[], value: Value<Subject>])[]
): Rows<Subject> {
  return {
    count: () => series.length,
    labels: (_, row) => series[row]?.[0] ?? NO_LABELS,
    value: (subject, row) => series[row]?.[1](subject),
    varies: false,
  };
}

/** One series for each entry of a list. */
export function each<Subject, Entry>(
  list: (subject: Subject) => readonly Entry[],
  labels: (entry: Entry) => readonly string[],
  value: (entry: Entry) => number | undefined,
): Rows<Subject> {
  return {
    count: (subject) => list(subject).length,
    labels: (subject, row) => {
      const entry = list(subject)[row];
      return entry === undefined ? NO_LABELS : labels(entry);
    },
    value: (subject, row) => {
      const entry = list(subject)[row];
      return entry === undefined ? undefined : value(entry);
    },
    varies: true,
  };
}
