import { type ErrorCode, FlyballError } from "./errors.ts";

/** One thing a person should know about their input, with the place it stands at. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  /** What it is about: `services.web.labels.autoscale.max_cpu`, or a key of the config file. */
  readonly path: string;
  /** Names what was expected and what came. */
  readonly message: string;
  /** The file, as the person named it. */
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** Counted from 1. */
  readonly column?: number;
}

export type DiagnosticPlace = Omit<Diagnostic, "severity" | "message">;

/** Collects every problem of an input, so that a person sees all of them at once. */
export class Diagnostics {
  readonly #all: Diagnostic[] = [];

  error(place: DiagnosticPlace, message: string): void {
    this.#all.push({ severity: "error", ...place, message });
  }

  warning(place: DiagnosticPlace, message: string): void {
    this.#all.push({ severity: "warning", ...place, message });
  }

  addAll(diagnostics: Iterable<Diagnostic>): void {
    for (const diagnostic of diagnostics) this.#all.push(diagnostic);
  }

  get all(): readonly Diagnostic[] {
    return this.#all;
  }

  get errors(): readonly Diagnostic[] {
    return this.#all.filter((diagnostic) => diagnostic.severity === "error");
  }

  /** Throws one error that lists every problem, when there is any. */
  throwIfErrors(code: ErrorCode, message: string): void {
    const errors = this.errors;
    if (errors.length === 0) return;
    const problems = errors.map((diagnostic) => ({ at: placeOf(diagnostic), message: diagnostic.message }));
    throw new FlyballError(code, message, { problems });
  }
}

/** `compose.yaml:12:7 services.web.image`, with what is known of it. */
export function placeOf(place: DiagnosticPlace): string {
  const position = [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
  return [position, place.path].filter((part) => part !== "").join(" ");
}

/** The diagnostic as a line for a terminal or a log. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  return `${diagnostic.severity}: ${placeOf(diagnostic)}: ${diagnostic.message}`;
}
