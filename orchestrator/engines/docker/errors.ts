import { FlyballError, isFlyballError, isSystemError, messageOf } from "../../../core/errors.ts";
import { formatDuration } from "../../../core/units.ts";

/** The HTTP status that the engine answered with; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const source = isFlyballError(error) ? error.cause : error;
  if (!(source instanceof Error) || !("statusCode" in source)) return undefined;
  return typeof source.statusCode === "number" ? source.statusCode : undefined;
}

export function isGone(error: unknown): boolean {
  return statusOf(error) === 404;
}

/** Somebody else is removing it at this moment. */
export function isBeingRemoved(error: unknown): boolean {
  return (
    statusOf(error) === 409 &&
    /removal of container .* is already in progress|marked for removal/u.test(reasonOf(error))
  );
}

export function isNameTaken(error: unknown): boolean {
  return statusOf(error) === 409 && /already in use/u.test(reasonOf(error));
}

/** The engine's own words, without what the client wrapped around them. */
export function reasonOf(error: unknown): string {
  const source = isFlyballError(error) && error.cause !== undefined ? error.cause : error;
  if (source instanceof Error && "json" in source) {
    const { json } = source;
    if (typeof json === "object" && json !== null && "message" in json && typeof json.message === "string") {
      return json.message.trim();
    }
  }
  // Of a call that answers with a stream, the library gives the words in its own message only.
  return messageOf(source)
    .replace(/^\(HTTP code \d+\) .*? - /u, "")
    .trim();
}

/** Anything that a call to the engine threw, as one of the two errors of the engine contract. */
export function engineError(error: unknown, address: string): FlyballError {
  if (isFlyballError(error)) return error;
  if (statusOf(error) !== undefined)
    return new FlyballError("ENGINE_REFUSED", reasonOf(error), { cause: error });
  return unavailable(address, adviceFor(error), error);
}

/** The engine took the call and said nothing until the deadline. */
export function engineHangs(address: string, deadlineMs: number): FlyballError {
  return unavailable(address, `no answer within ${formatDuration(deadlineMs)}; it may hang or be overloaded`);
}

export function unavailable(address: string, reason: string, cause?: unknown): FlyballError {
  return new FlyballError(
    "ENGINE_UNAVAILABLE",
    `The Docker engine at ${address} does not answer: ${reason}`,
    {
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** The same error, said of one replica of one service. */
export function aboutReplica(error: unknown, service: string, slot: number): unknown {
  if (!isFlyballError(error) || error.code !== "ENGINE_REFUSED") return error;
  return new FlyballError("ENGINE_REFUSED", `${service}, slot ${slot}: ${error.message}`, {
    cause: error.cause,
  });
}

function adviceFor(error: unknown): string {
  if (isSystemError(error, "ENOENT")) return "there is no such socket; start Docker, or name the right one";
  if (isSystemError(error, "ECONNREFUSED"))
    return "nothing listens there; start Docker, or name the right address";
  if (isSystemError(error, "EACCES") || isSystemError(error, "EPERM")) {
    return "this user may not open it; run as a member of the group that owns the socket";
  }
  return messageOf(error);
}
