import type { z } from "zod";
import {
  type DecisionView,
  decisionListSchema,
  readinessSchema,
  type ServiceDetail,
  serviceDetailSchema,
} from "../../core/wire.ts";

const TIMEOUT_MS = 5_000;

/** Asks the daemon's API. Methods throw when there is no answer, or not the one expected. */
export class FlyballClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** False also while nobody answers. */
  async isReady(): Promise<boolean> {
    return this.#get("/readyz", readinessSchema).then(
      (readiness) => readiness?.ready ?? false,
      () => false,
    );
  }

  /** Undefined: the daemon knows no such service (yet). */
  service(id: string): Promise<ServiceDetail | undefined> {
    return this.#get(`/v1/services/${id}`, serviceDetailSchema);
  }

  /** The newest decisions that changed the count, oldest first. */
  async changes(id: string): Promise<readonly DecisionView[]> {
    const answer = await this.#get(`/v1/services/${id}/decisions?changes=true&limit=100`, decisionListSchema);
    return answer?.decisions.toReversed() ?? [];
  }

  async #get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${text}`);
    return schema.parse(JSON.parse(text));
  }
}
