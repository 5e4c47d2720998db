/** What an instant query came to. */
export type QueryOutcome = { readonly value: number } | { readonly trouble: QueryTrouble };

/**
 * `unreachable` no answer at all · `timeout` none in time · `http` an answer that is an error, and not Prometheus' own ·
 * `format` not what a Prometheus answers · `too large` an answer of too many bytes · `refused` the expression cannot be
 * evaluated · `empty` it gives no series · `several` more than one · `not a number` NaN or infinite · `type` text, a
 * range, a histogram · `credentials` the file that holds them cannot be used
 */
export type TroubleKind =
  | "unreachable"
  | "timeout"
  | "http"
  | "format"
  | "too large"
  | "refused"
  | "empty"
  | "several"
  | "not a number"
  | "type"
  | "credentials";

export interface QueryTrouble {
  readonly kind: TroubleKind;
  /** For a person: what came, and what would help. */
  readonly message: string;
}

export const AGGREGATE = "aggregate it to one, as with sum(…), max(…) or avg(…)";
const MOST_SHOWN = 300;
/** As Prometheus writes them; what is no number there is written in letters. */
const NUMBER = /^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Reads the body of an answer, whatever its status: Prometheus explains its refusals in the same form. */
export function readAnswer(status: number, text: string): QueryOutcome {
  const answer = parseJson(text);
  if (isRecord(answer) && answer["status"] === "error") {
    return readRefusal(status, answer);
  }
  if (status < 200 || status > 299)
    return trouble("http", `Prometheus answered ${status}${adviceOn(status)}`);
  if (!isRecord(answer) || answer["status"] !== "success" || !isRecord(answer["data"])) {
    return trouble("format", `expected the JSON of a Prometheus server, got ${shown(text)}`);
  }
  const { resultType, result } = answer["data"];
  if (!Array.isArray(result)) return strange(answer["data"]);
  if (resultType === "scalar") return readPoint(result);
  if (resultType === "vector") return readVector(result);
  if (resultType === "matrix") {
    return trouble(
      "type",
      "the expression gives a range: ask for one value, as with rate(…) or avg_over_time(…)",
    );
  }
  return resultType === "string"
    ? trouble("type", "the expression gives text, not a number")
    : strange(resultType);
}

/** The expression is wrong, or the server could not. */
function readRefusal(status: number, { error, errorType }: Record<string, unknown>): QueryOutcome {
  if (errorType === "bad_data" || errorType === "execution") {
    return trouble("refused", `Prometheus refuses the expression: ${shown(error)}`);
  }
  const kind = errorType === "timeout" ? "timeout" : "http";
  return trouble(kind, `Prometheus answered ${status}${adviceOn(status)}: ${shown(error)}`);
}

function readVector(series: readonly unknown[]): QueryOutcome {
  if (series.length === 0) return trouble("empty", "the expression gives no series");
  if (series.length > 1) {
    return trouble("several", `the expression gives ${series.length} series: ${AGGREGATE}`);
  }
  const [only] = series;
  if (!isRecord(only)) return strange(only);
  if (only["histogram"] !== undefined) {
    return trouble(
      "type",
      "the expression gives a histogram: take a value of it, as with histogram_quantile(…)",
    );
  }
  return readPoint(only["value"]);
}

/** `[seconds, "value"]`. */
function readPoint(point: unknown): QueryOutcome {
  if (!Array.isArray(point) || typeof point[1] !== "string") return strange(point);
  const [, text] = point;
  if (/^(?:NaN|[+-]?Inf)$/.test(text)) return trouble("not a number", `the expression gives ${text}`);
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { value } : strange(text);
}

function strange(part: unknown): QueryOutcome {
  return trouble("format", `expected the result of a query, got ${shown(JSON.stringify(part))}`);
}

export function trouble(kind: TroubleKind, message: string): { readonly trouble: QueryTrouble } {
  return { trouble: { kind, message } };
}

function adviceOn(status: number): string {
  if (status === 401 || status === 403)
    return ": look at the token or the password of the configuration's prometheus";
  if (status >= 300 && status < 400)
    return ", a redirect, which is not followed: configure the address it leads to";
  return status === 404 ? ": is the path of the configuration's prometheus right?" : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A stranger's words: on one line, and not too many of them. */
function shown(text: unknown): string {
  if (typeof text !== "string" || text === "") return "nothing";
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
}
