import type { EndpointDirectory, EndpointSet, TargetGroup } from "../core/wire-endpoints.ts";

/** What the API can ask about where services answer. Every method but `onChange` and `seat` throws NOT_READY until it is known. */
export interface DiscoveryControl {
  /** @throws FlyballError NOT_FOUND */
  endpoints(id: string): EndpointSet;
  directory(): EndpointDirectory;
  targetGroups(ports: "metrics" | "all"): readonly TargetGroup[];
  /** Calls the listener whenever an answer of `endpoints` or `directory` has become another, until disposed. */
  onChange(listener: () => void): Disposable;
  /** A place for one client that waits, until disposed. @throws FlyballError TOO_MANY_CLIENTS */
  seat(): Disposable;
}
