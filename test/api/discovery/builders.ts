import type { ObservedReplica, ReplicaState } from "../../../core/types.ts";
import { replica as anyReplica, NOW_MS } from "../../orchestrator/builders.ts";

export { NOW_MS, observed, service } from "../../orchestrator/builders.ts";

/** The replica in that slot, which answers at port 28000 and the slot; it started when the test began. */
export function replica(
  name: string,
  slot: number,
  state: ReplicaState = "running",
  changes: Partial<ObservedReplica> = {},
): ObservedReplica {
  const { readyAtMs: _ready, ...rest } = anyReplica(name, slot, state);
  const endpoints = [{ targetPort: 8080, host: "127.0.0.1", port: 28_000 + slot }];
  return { ...rest, startedAtMs: NOW_MS, endpoints, ...changes };
}
