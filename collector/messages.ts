import type { Target } from "../core/types.ts";
import { isSamplesMessage, type SamplesMessage } from "./batch-codec.ts";
import { type ClockAnswer, type ClockQuestion, isClockAnswer, isClockQuestion } from "./clock-offset.ts";

/** The name of the link between a daemon and its collector. */
export const COLLECTOR_LINK = "collector";

/** From the daemon: everything that should be read from now on. */
export interface TargetsMessage {
  readonly type: "targets";
  /** Counts the lists; the samples name the one that their positions mean. */
  readonly revision: number;
  readonly targets: readonly Target[];
}

/** From the collector, first: which process speaks. */
export interface HelloMessage {
  readonly type: "hello";
  readonly pid: number;
}

export type FromDaemon = TargetsMessage | ClockQuestion;
export type FromCollector = HelloMessage | SamplesMessage | ClockAnswer;

export function isFromDaemon(value: unknown): value is FromDaemon {
  if (typeof value !== "object" || value === null) return false;
  const message = value as Partial<Record<keyof TargetsMessage, unknown>>;
  if (isClockQuestion(value)) return true;
  return (
    message.type === "targets" &&
    Number.isInteger(message.revision) &&
    Array.isArray(message.targets) &&
    message.targets.every(isTarget)
  );
}

export function isFromCollector(value: unknown): value is FromCollector {
  if (typeof value !== "object" || value === null || !("type" in value)) return false;
  if (value.type === "hello") return "pid" in value && Number.isInteger(value.pid);
  return isSamplesMessage(value) || isClockAnswer(value);
}

function isTarget(value: unknown): value is Target {
  if (typeof value !== "object" || value === null) return false;
  const target = value as Partial<Record<keyof Target, unknown>>;
  return (
    typeof target.replica === "string" &&
    target.replica !== "" &&
    typeof target.service === "string" &&
    typeof target.pid === "number" &&
    Number.isInteger(target.pid) &&
    target.pid > 0 &&
    (target.kind === "container" || target.kind === "process") &&
    isOptional(target.name, isString) &&
    isOptional(target.image, isString) &&
    isOptional(target.labels, isLabels) &&
    isOptional(target.createdAtMs, Number.isFinite) &&
    isOptional(target.startedAtMs, Number.isFinite) &&
    isOptional(target.health, isString) &&
    isOptional(target.limits, isObject) &&
    isOptional(target.endpoints, Array.isArray)
  );
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isLabels(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isString);
}
