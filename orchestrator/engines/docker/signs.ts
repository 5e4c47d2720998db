import { OWNER_LABELS } from "../../engine.ts";
import type { ReplicaSign } from "../../ownership/signs.ts";
import { COMPOSE_LABELS } from "./labels.ts";
import type { EngineEvent, Labels } from "./wire.ts";

const SIGKILL = "9";
/** Hang-up and the two that are the user's own: asked for a new log file or new settings, and not for an end. */
const HARMLESS_SIGNALS: readonly string[] = ["1", "10", "12"];

/** What the event says that was done to a replica, or that it ended; undefined for all else. */
export function signOf({ Type, Action, Actor }: EngineEvent): ReplicaSign | undefined {
  const replica = Actor?.ID;
  const attributes = Actor?.Attributes ?? {};
  if (Type !== "container" || replica === undefined || !isReplica(attributes)) return undefined;
  switch (Action) {
    case "kill":
      return signalled(replica, attributes["signal"] ?? "");
    case "die":
      return { kind: "ended", replica };
    case "stop":
      return { kind: "stopped", replica };
    case "start":
      return { kind: "started", replica };
    case "destroy":
      return { kind: "removed", replica };
    case "create":
      return { kind: "created", replica, byCompose: isMadeByCompose(attributes) };
    default:
      return undefined;
  }
}

function signalled(replica: string, signal: string): ReplicaSign | undefined {
  return HARMLESS_SIGNALS.includes(signal)
    ? undefined
    : { kind: "killed", replica, byForce: signal === SIGKILL };
}

function isReplica(attributes: Labels): boolean {
  return attributes[COMPOSE_LABELS.service] !== undefined && attributes[COMPOSE_LABELS.oneoff] !== "True";
}

/** The labels that every release of compose writes; one who imitates it needs fewer of them. */
function isMadeByCompose(attributes: Labels): boolean {
  const { configHash, version, number } = COMPOSE_LABELS;
  return (
    attributes[OWNER_LABELS.owner] === undefined &&
    [configHash, version, number].every((key) => attributes[key] !== undefined)
  );
}
