/**
 * Every error that a person or a program may meet, in one table: a stable code, the HTTP status the API answers
 * with, and the exit status the command ends with. Codes are part of the interface: never renamed, never reused.
 */
export const ERRORS = {
  CONFIG_INVALID: { status: 422, exit: 2, meaning: "the configuration file or a flag cannot be used" },
  COMPOSE_NOT_FOUND: { status: 422, exit: 2, meaning: "no compose file where one was looked for" },
  COMPOSE_INVALID: { status: 422, exit: 2, meaning: "the compose files have errors; all of them are listed" },
  COMPOSE_TOO_LARGE: { status: 413, exit: 2, meaning: "a compose file, or what it expands to, is too large" },
  LABEL_INVALID: { status: 422, exit: 2, meaning: "a label of a service cannot be understood" },
  REQUEST_INVALID: { status: 422, exit: 2, meaning: "a request's fields are not what the API expects" },
  UNAUTHORIZED: { status: 401, exit: 4, meaning: "no token, or one that is not known" },
  FORBIDDEN: { status: 403, exit: 4, meaning: "the request may not do this, or came from a foreign page" },
  NOT_FOUND: { status: 404, exit: 3, meaning: "there is no such project, service or page" },
  OUT_OF_BOUNDS: { status: 409, exit: 3, meaning: "the count asked for is outside the service's bounds" },
  NOT_SCALABLE: { status: 409, exit: 3, meaning: "the service cannot have more than one replica" },
  TRIAL_REFUSED: {
    status: 409,
    exit: 3,
    meaning: "the service's next template cannot be tried beside this one",
  },
  JOB_RUNNING: { status: 409, exit: 3, meaning: "the job is under way, and may not run twice at a time" },
  JOB_FAILED: { status: 409, exit: 10, meaning: "the run that was waited for did not succeed" },
  ENGINE_UNAVAILABLE: { status: 503, exit: 5, meaning: "the engine does not answer" },
  ENGINE_REFUSED: { status: 502, exit: 5, meaning: "the engine answered, and refused the action" },
  ENGINE_UNSUPPORTED: { status: 422, exit: 5, meaning: "this engine cannot do what the service asks for" },
  STORE_FULL: { status: 507, exit: 6, meaning: "the disk under the data directory is full" },
  STORE_LOCKED: { status: 409, exit: 6, meaning: "another daemon works on the same data directory" },
  STORE_UNUSABLE: { status: 500, exit: 6, meaning: "the data directory or the file in it cannot be used" },
  PORT_IN_USE: { status: 409, exit: 7, meaning: "the port the API should listen on is taken" },
  LISTEN_REFUSED: { status: 409, exit: 7, meaning: "the API may not listen there" },
  DAEMON_UNREACHABLE: { status: 503, exit: 8, meaning: "no daemon answers at the address asked" },
  NOT_READY: { status: 503, exit: 8, meaning: "the daemon has started but has not seen the engine yet" },
  TOO_MANY_CLIENTS: {
    status: 503,
    exit: 8,
    meaning: "as many clients wait for changes as the daemon serves at once",
  },
  LINK_BROKEN: { status: 503, exit: 9, meaning: "the stream between the collector and the daemon is broken" },
  TEMPLATE_INVALID: {
    status: 422,
    exit: 2,
    meaning: "a template, or the file it is to become, cannot be used",
  },
  COMMAND_FAILED: {
    status: 502,
    exit: 10,
    meaning: "a command that was to check a rendered file, or to take it up, failed",
  },
  DELIVERY_FAILED: { status: 502, exit: 11, meaning: "a channel of alerts did not take what it was given" },
  INTERNAL: { status: 500, exit: 70, meaning: "a defect in Flyball" },
} as const satisfies Record<string, { status: number; exit: number; meaning: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** One of several problems behind an error: where it is, and what it is. */
export interface Problem {
  /** `compose.yaml:12:7`, `services.web.labels`, or a JSON pointer. */
  readonly at: string;
  readonly message: string;
}

/** An error with a stable code; its message names what was expected and what came. */
export class FlyballError extends Error {
  override readonly name = "FlyballError";
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; problems?: readonly Problem[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.problems = options.problems ?? [];
  }
}

export function isFlyballError(error: unknown): error is FlyballError {
  return error instanceof FlyballError;
}

/** True for an error of the operating system with that code, as `ENOENT` or `EADDRINUSE`. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  // Node's own error for a name of which no address answers says nothing itself.
  return error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : error.name;
}

/** The error as a person reads it: one line, then a line for each problem. */
export function formatError(error: unknown): string {
  if (!isFlyballError(error)) return `INTERNAL: ${messageOf(error)}`;
  const lines = error.problems.map((problem) => `  ${problem.at}: ${problem.message}`);
  return [`${error.code}: ${error.message}`, ...lines].join("\n");
}
