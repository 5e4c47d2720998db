import type { ServiceId } from "../../core/types.ts";

export type ResourceKind = "image" | "network" | "volume";

export function slotKey(service: ServiceId, slot: number): string {
  return `${service}#${slot}`;
}

/** The service and the slot of a `slotKey`. */
export function slotOfKey(key: string): { service: ServiceId; slot: number } {
  const at = key.lastIndexOf("#");
  return { service: key.slice(0, at), slot: Number(key.slice(at + 1)) };
}

export function resourceKey(kind: ResourceKind, name: string): string {
  return `${kind}:${name}`;
}

/** Attempts to take away what has that key fail apart from those to bring it. */
export function removalKey(key: string): string {
  return `removal of ${key}`;
}
