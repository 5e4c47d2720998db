import { request } from "node:http";
import { connect } from "node:net";
import type { Endpoint, ObservedReplica, Probe, ReplicaId, Service, ServiceId } from "../core/types.ts";

/** Until a replica is ready it is asked often: each wait here is capacity that is there and not used. */
const UNTIL_READY_MS = 100;
const WHEN_READY_MS = 2_000;
const TIMEOUT_MS = 2_000;
/** In a row, of a replica that was ready. */
const FAILURES_TO_UNHEALTHY = 3;

interface Watch {
  readonly endpoint: Endpoint;
  readonly probe: Probe;
  passed: boolean;
  /** In a row. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Asks replicas with a `probe.http` or `probe.tcp` label whether they are ready, and says so by their state: an
 * engine knows only that they run. One that was ready and has failed as often as `probe.liveness` allows no longer
 * lives; nor does one that the engine's own healthcheck has given up.
 */
export class Probes implements Disposable {
  readonly #watches = new Map<string, Watch>();
  readonly #onChange: () => void;

  /** @param onChange a replica became ready, or ceased to be */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The replicas with the state that their probes know; starts asking new ones and stops asking those that went. */
  apply(
    replicas: readonly ObservedReplica[],
    services: ReadonlyMap<ServiceId, Service>,
  ): readonly ObservedReplica[] {
    const seen = new Set<string>();
    const result = replicas.map((replica) => {
      // A healthcheck has its own count of retries, and the engine keeps it.
      if (replica.state === "unhealthy") return { ...replica, live: false as const };
      const service = services.get(replica.service);
      const probe = service?.template.probe;
      if (probe === undefined || replica.state !== "running") return replica;
      const endpoint = endpointOf(replica, probe);
      if (endpoint === undefined) return { ...replica, state: "starting" as const };
      const key = watchKey(replica.id, replica, endpoint);
      seen.add(key);
      const watch = this.#watches.get(key) ?? this.#start(key, endpoint, probe);
      const dead = watch.passed && watch.failures >= (service?.livenessFailures ?? Number.POSITIVE_INFINITY);
      return dead
        ? { ...replica, state: "unhealthy" as const, live: false as const }
        : { ...replica, state: stateOf(watch) };
    });
    for (const [key, watch] of this.#watches) {
      if (seen.has(key)) continue;
      clearTimeout(watch.timer);
      this.#watches.delete(key);
    }
    return result;
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) clearTimeout(watch.timer);
    this.#watches.clear();
  }

  #start(key: string, endpoint: Endpoint, probe: Probe): Watch {
    const watch: Watch = { endpoint, probe, passed: false, failures: 0, timer: undefined };
    this.#watches.set(key, watch);
    void this.#ask(key, watch);
    return watch;
  }

  async #ask(key: string, watch: Watch): Promise<void> {
    const before = stateOf(watch);
    const answer = await (watch.probe.kind === "http"
      ? askHttp(watch.endpoint, watch.probe)
      : askTcp(watch.endpoint));
    if (this.#watches.get(key) !== watch) return;
    watch.failures = answer ? 0 : watch.failures + 1;
    watch.passed ||= answer;
    watch.timer = setTimeout(() => void this.#ask(key, watch), watch.passed ? WHEN_READY_MS : UNTIL_READY_MS);
    if (stateOf(watch) !== before) this.#onChange();
  }
}

/** A replica that was restarted, or answers elsewhere, is asked anew. */
function watchKey(id: ReplicaId, replica: ObservedReplica, endpoint: Endpoint): string {
  return `${id} ${replica.startedAtMs ?? ""} ${endpoint.host}:${endpoint.port}`;
}

function stateOf(watch: Watch): "starting" | "running" | "unhealthy" {
  if (!watch.passed) return "starting";
  return watch.failures >= FAILURES_TO_UNHEALTHY ? "unhealthy" : "running";
}

function endpointOf(replica: ObservedReplica, probe: Probe): Endpoint | undefined {
  if (probe.port === undefined) return replica.endpoints[0];
  return replica.endpoints.find((endpoint) => endpoint.targetPort === probe.port);
}

function askHttp(endpoint: Endpoint, probe: Probe): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = endpoint;
    // The whole of it: a body without an end would hold one connection more for each question.
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const asked = request({ host, port, path: probe.path ?? "/", agent: false, signal }, (response) => {
      response.on("error", () => undefined).resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    asked.on("error", () => resolve(false));
    asked.on("close", () => resolve(false));
    asked.end();
  });
}

function askTcp(endpoint: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: endpoint.host, port: endpoint.port, timeout: TIMEOUT_MS });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.on("connect", () => answer(true));
    socket.on("timeout", () => answer(false));
    socket.on("error", () => answer(false));
  });
}
