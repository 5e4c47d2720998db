import type {
  AutoscaleAnswer,
  AutoscaleRequest,
  DecisionView,
  Explanation,
  ProblemDocument,
  ScaleAnswer,
  ScaleRequest,
  ServiceDetail,
} from "../../../../core/wire.ts";
import type { AckRequest, AlertView, SilenceAsked, SilenceView } from "../../../../core/wire-alerts.ts";
import type { History } from "../../../../core/wire-history.ts";
import type { AlertsSnapshot, ServicesSnapshot } from "../state/world.ts";

const TIME_LIMIT_MS = 15_000;
const MOST = { alerts: 500, audit: 200, decisions: 100 };

/** The daemon answered, and not with what was asked for. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What the page asks of the API. Every method throws Refused for an answer that is a problem, and another error for none. */
export class Api {
  /** Sent with every request. */
  token: string | undefined;

  constructor(token: string | undefined) {
    this.token = token;
  }

  async services(): Promise<ServicesSnapshot> {
    const [{ services }, { jobs }, { lines: audit }] = await Promise.all([
      this.#get<Pick<ServicesSnapshot, "services">>("/v1/services"),
      this.#get<Pick<ServicesSnapshot, "jobs">>("/v1/jobs"),
      this.#get<{ lines: ServicesSnapshot["audit"] }>(`/v1/audit?limit=${MOST.audit}`),
    ]);
    return { services, jobs, audit };
  }

  async alerts(): Promise<AlertsSnapshot> {
    const [{ alerts, channels }, { silences }, readiness] = await Promise.all([
      this.#get<Pick<AlertsSnapshot, "alerts" | "channels">>(`/v1/alerts?limit=${MOST.alerts}`),
      this.#get<Pick<AlertsSnapshot, "silences">>("/v1/silences"),
      this.#get<AlertsSnapshot["readiness"]>("/readyz", [503]),
    ]);
    return { alerts, channels, silences, readiness };
  }

  service(id: string): Promise<ServiceDetail> {
    return this.#get(`/v1/services/${encodeURIComponent(id)}`);
  }

  history(id: string, fromMs: number): Promise<History> {
    return this.#get(`/v1/services/${encodeURIComponent(id)}/history?from=${Math.floor(fromMs)}`);
  }

  async decisions(id: string): Promise<readonly DecisionView[]> {
    const path = `/v1/services/${encodeURIComponent(id)}/decisions?changes=true&limit=${MOST.decisions}`;
    return (await this.#get<{ decisions: readonly DecisionView[] }>(path)).decisions;
  }

  /** @param atMs absent: of the newest decision */
  explain(id: string, atMs: number | undefined): Promise<Explanation> {
    const at = atMs === undefined ? "" : `?at=${atMs}`;
    return this.#get(`/v1/services/${encodeURIComponent(id)}/explain${at}`);
  }

  scale(id: string, request: ScaleRequest): Promise<ScaleAnswer> {
    return this.#send("PUT", `/v1/services/${encodeURIComponent(id)}/scale`, request);
  }

  setAutoscale(id: string, mode: AutoscaleRequest["mode"]): Promise<AutoscaleAnswer> {
    return this.#send("PUT", `/v1/services/${encodeURIComponent(id)}/autoscale`, { mode });
  }

  acknowledge(id: string, request: AckRequest): Promise<AlertView> {
    return this.#send("POST", `/v1/alerts/${encodeURIComponent(id)}/ack`, request);
  }

  silence(request: SilenceAsked): Promise<SilenceView> {
    return this.#send("POST", "/v1/silences", request);
  }

  endSilence(id: string): Promise<SilenceView> {
    return this.#send("DELETE", `/v1/silences/${encodeURIComponent(id)}`);
  }

  #get<Answer>(path: string, alsoGood: readonly number[] = []): Promise<Answer> {
    return this.#ask(path, { method: "GET" }, alsoGood);
  }

  #send<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    if (body === undefined) return this.#ask(path, { method });
    const headers = { "Content-Type": "application/json" };
    return this.#ask(path, { method, headers, body: JSON.stringify(body) });
  }

  async #ask<Answer>(path: string, init: RequestInit, alsoGood: readonly number[] = []): Promise<Answer> {
    const headers = new Headers(init.headers);
    if (this.token !== undefined) headers.set("Authorization", `Bearer ${this.token}`);
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    const response = await fetch(path, { ...init, headers, signal, cache: "no-store" });
    if (response.ok || alsoGood.includes(response.status)) return await response.json();
    throw new Refused(response.status, await problemIn(response));
  }
}

async function problemIn(response: Response): Promise<string> {
  try {
    const { detail }: ProblemDocument = await response.json();
    return detail;
  } catch {
    return `the daemon answered ${response.status}`;
  }
}

/** What went wrong, for a person. */
export function troubleText(error: unknown): string {
  if (error instanceof Refused) return error.message;
  if (error instanceof DOMException && error.name === "TimeoutError")
    return "the daemon did not answer in time";
  return "the daemon cannot be reached";
}
