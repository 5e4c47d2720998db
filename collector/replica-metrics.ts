import { systemClock } from "../core/clock.ts";
import type { ReplicaId } from "../core/types.ts";
import type { Applications } from "./apps/applications.ts";
import { isBrisk } from "./apps/brisk.ts";
import type { Label } from "./apps/metrics-text.ts";
import type { Traffic } from "./apps/traffic.ts";
import type { Discovered } from "./discover/discovered.ts";

export interface ReplicaMetricsOptions {
  /** The labels of a replica's series on the page; absent: there is no page. */
  readonly labelsOf: ((replica: Discovered) => readonly Label[]) | undefined;
  readonly note: (line: string) => void;
}

/** To be loaded before the process begins again from its cache: later it is loaded in its midst. */
export async function loadApplications() {
  return await import("./apps/applications.ts");
}

/**
 * What the replicas expose themselves, for the page and for rules about their requests. Without a page only those with
 * such rules are asked, and nothing is loaded before there is one.
 */
export class ReplicaMetrics implements AsyncDisposable {
  readonly #options: ReplicaMetricsOptions;
  #replicas: readonly Discovered[] = [];
  #applications: Applications | undefined;
  #loading: Promise<Applications> | undefined;
  #closed = false;

  constructor(options: ReplicaMetricsOptions) {
    this.#options = options;
  }

  /** The whole list. */
  setReplicas(replicas: Iterable<Discovered>): void {
    const isForPage = this.#options.labelsOf !== undefined;
    this.#replicas = [...replicas].filter(({ labels }) => isForPage || isBrisk(labels));
    if (this.#applications !== undefined) this.#applications.setReplicas(this.#replicas);
    else if (this.#replicas.length > 0) void this.load();
  }

  /** What a replica's own counters say of its requests; undefined when it is not known. */
  traffic(replica: ReplicaId): Traffic | undefined {
    return this.#applications?.traffic(replica);
  }

  async load(): Promise<Applications> {
    this.#loading ??= this.#open();
    return await this.#loading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = await this.#loading;
    await opened?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Applications> {
    const { Applications } = await loadApplications();
    const opened = new Applications({ clock: systemClock, ...this.#options });
    this.#applications = opened;
    if (!this.#closed) opened.setReplicas(this.#replicas);
    return opened;
  }
}
