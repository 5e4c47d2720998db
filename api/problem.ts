import { ERRORS, type ErrorCode, FlyballError, isFlyballError, type Problem } from "../core/errors.ts";
import type { ProblemDocument } from "../core/wire.ts";

export interface RefusalOptions {
  readonly problems?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An error of the request itself: HTTP has a closer status for it than its code's row in the table. */
export class RequestRefused extends FlyballError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ErrorCode, message: string, options: RefusalOptions = {}) {
    const { headers, ...rest } = options;
    super(code, message, rest);
    this.status = status;
    this.headers = headers ?? {};
  }
}

export interface ProblemReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: ProblemDocument;
}

const CONCEALED = "the daemon met a defect in itself; its log says more";

/** What a client is told of anything that was thrown (RFC 9457). Says nothing of what is inside a defect. */
export function problemOf(error: unknown): ProblemReply {
  const known = isFlyballError(error) ? error : new FlyballError("INTERNAL", CONCEALED);
  const status = known instanceof RequestRefused ? known.status : ERRORS[known.code].status;
  const document: ProblemDocument = {
    type: `urn:flyball:${known.code}`,
    title: ERRORS[known.code].meaning,
    status,
    detail: known.code === "INTERNAL" ? CONCEALED : known.message,
    code: known.code,
    ...(known.problems.length === 0
      ? {}
      : { errors: known.problems.map(({ at, message }) => ({ at, message })) }),
  };
  const challenge = known.code === "UNAUTHORIZED" ? { "WWW-Authenticate": "Bearer" } : {};
  return {
    status,
    headers: { ...challenge, ...(known instanceof RequestRefused ? known.headers : {}) },
    document,
  };
}
