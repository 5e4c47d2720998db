import type { ReplicaId } from "../../core/types.ts";
import type { Discovered } from "./discovered.ts";
import type { EngineEvent } from "./engine-answers.ts";
import { healthOf } from "./from-inspect.ts";

/** What an event of the engine means for the list. `changed`: what is known of it is to be looked at again. */
export type ContainerEvent =
  | { readonly kind: "started" | "ended" | "oom" | "changed"; readonly id: ReplicaId }
  | { readonly kind: "health"; readonly id: ReplicaId; readonly health: NonNullable<Discovered["health"]> };

const HEALTH_STATUS = "health_status";

/** Undefined for what changes nothing that is known here. Docker's words, and Podman's where they differ. */
export function containerEvent({ Type, Action = "", Actor }: EngineEvent): ContainerEvent | undefined {
  const id = Actor?.ID;
  if (id === undefined || id === "" || (Type !== undefined && Type !== "container")) return undefined;
  switch (Action) {
    case "start":
      return { kind: "started", id };
    case "die":
    case "died":
      return { kind: "ended", id };
    case "oom":
      return { kind: "oom", id };
    case "rename":
    case "update":
      return { kind: "changed", id };
    default:
      break;
  }
  if (!Action.startsWith(HEALTH_STATUS)) return undefined;
  const health = healthOf(Action.slice(HEALTH_STATUS.length + 2));
  return health === undefined ? { kind: "changed", id } : { kind: "health", id, health };
}
