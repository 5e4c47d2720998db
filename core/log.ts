import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields whose values never reach a log line, wherever a room logs a whole object. */
const SECRET_FIELDS = ["environment", "env", "Env", "token", "authorization", "Authorization", "password"];

/** The deepest a secret stands: in the state of all projects, project by project, service by service. */
const DEEPEST = 8;

/** NDJSON lines on stderr, or where `destination` leads. */
export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const depths = Array.from({ length: DEEPEST }, (_, depth) => "*.".repeat(depth));
  const paths = SECRET_FIELDS.flatMap((field) => depths.map((depth) => `${depth}${field}`));
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths, censor: "[redacted]" } },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
