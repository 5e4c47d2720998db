import type { z } from "zod";
import {
  type DecisionView,
  decisionListSchema,
  projectAnswerSchema,
  type Readiness,
  readinessSchema,
  type ServiceDetail,
  serviceDetailSchema,
} from "../../core/wire.ts";

const TIMEOUT_MS = 5_000;
/** Stopping waits for every replica to end by itself. */
const REMOVAL_TIMEOUT_MS = 30_000;

/** Asks the daemon's API. Every method throws when there is no answer, or not the one expected. */
export class FlyballClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  readiness(): Promise<Readiness> {
    return this.#call("GET", "/readyz", readinessSchema);
  }

  /** Undefined: there is no such service. */
  async service(id: string): Promise<ServiceDetail | undefined> {
    return this.#call("GET", `/v1/services/${id}`, serviceDetailSchema).catch((error: unknown) => {
      if (error instanceof StatusError && error.status === 404) return undefined;
      throw error;
    });
  }

  /** The newest decisions that changed the count, oldest first. */
  async changes(id: string): Promise<readonly DecisionView[]> {
    const path = `/v1/services/${id}/decisions?changes=true&limit=100`;
    return (await this.#call("GET", path, decisionListSchema)).decisions.toReversed();
  }

  /** Stops and removes everything that runs of the project. */
  async removeProject(name: string): Promise<void> {
    await this.#call("DELETE", `/v1/projects/${name}`, projectAnswerSchema, REMOVAL_TIMEOUT_MS);
  }

  async #call<T>(method: string, path: string, schema: z.ZodType<T>, timeoutMs = TIMEOUT_MS): Promise<T> {
    const response = await fetch(this.url + path, { method, signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (!response.ok) throw new StatusError(`${method} ${path}: ${response.status} ${text}`, response.status);
    return schema.parse(JSON.parse(text));
  }
}

class StatusError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}
