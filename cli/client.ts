import { z } from "zod";
import { ERRORS, type ErrorCode, FlyballError, isFlyballError, messageOf } from "../core/errors.ts";
import { askHttp, readBody } from "../core/http.ts";
import {
  type AuditLine,
  type AutoscaleAnswer,
  type AutoscaleRequest,
  auditSchema,
  autoscaleAnswerSchema,
  type DecisionView,
  decisionListSchema,
  type Explanation,
  explanationSchema,
  type ProblemDocument,
  type ProjectAnswer,
  type ProjectRequest,
  problemSchema,
  projectAnswerSchema,
  type Readiness,
  readinessSchema,
  type ScaleAnswer,
  type ScaleRequest,
  type ServiceDetail,
  type ServiceView,
  scaleAnswerSchema,
  serviceDetailSchema,
  serviceListSchema,
  type Verification,
} from "../core/wire.ts";
import {
  type CreatedToken,
  createdTokenSchema,
  revokedTokenSchema,
  type TokenRequest,
  type TokenView,
  tokenListSchema,
} from "../core/wire-access.ts";
import {
  type AckRequest,
  type AlertList,
  type AlertView,
  alertListSchema,
  alertSchema,
  type ChannelTest,
  channelTestSchema,
  type SilenceAsked,
  type SilenceView,
  silenceListSchema,
  silenceSchema,
} from "../core/wire-alerts.ts";
import {
  type Doctor,
  doctorSchema,
  type FailureView,
  failureListSchema,
  type Leftovers,
  leftoversSchema,
  type SweepRequest,
  type Swept,
  sweptSchema,
} from "../core/wire-care.ts";
import { type EndpointDirectory, endpointDirectorySchema } from "../core/wire-endpoints.ts";
import { type History, historySchema } from "../core/wire-history.ts";
import {
  type JobAnswer,
  jobListSchema,
  type LogsAnswer,
  logsSchema,
  type RunAnswer,
  runListSchema,
  runSchema,
} from "../core/wire-jobs.ts";
import {
  type RolloutAnswer,
  rolloutListSchema,
  rolloutSchema,
  type TrialChange,
} from "../core/wire-rollouts.ts";

export interface ClientOptions {
  /** Without a slash at its end: `http://127.0.0.1:7070`. */
  readonly address: string;
  readonly token?: string;
}

interface Ask<Schema extends z.ZodType> {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly answer: Schema;
  /** Statuses beside 200 that carry the same answer. */
  readonly alsoAnswers?: number;
  readonly timeoutMs?: number;
  /** Ends the question early; then the reason is thrown as it is. */
  readonly signal?: AbortSignal;
}

const READ_TIMEOUT_MS = 10_000;
/** Removing a project waits for its replicas to end, each within its own grace period. */
const CHANGE_TIMEOUT_MS = 300_000;

/**
 * Asks a daemon over its API. Every method throws FlyballError: DAEMON_UNREACHABLE when no daemon answers (or what
 * answers is none), else the code that the daemon gave.
 */
export class Client {
  readonly address: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: ClientOptions) {
    this.address = options.address;
    this.#headers = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  }

  readiness(): Promise<Readiness> {
    return this.#ask({ path: "/readyz", answer: readinessSchema, alsoAnswers: 503 });
  }

  async services(): Promise<ServiceView[]> {
    const { services } = await this.#ask({ path: "/v1/services", answer: serviceListSchema });
    return services;
  }

  service(id: string): Promise<ServiceDetail> {
    return this.#ask({ path: servicePath(id), answer: serviceDetailSchema });
  }

  async decisions(id: string, query: { limit: number; changesOnly: boolean }): Promise<DecisionView[]> {
    const search = `limit=${query.limit}&changes=${query.changesOnly}`;
    const path = `${servicePath(id)}/decisions?${search}`;
    const { decisions } = await this.#ask({ path, answer: decisionListSchema });
    return decisions;
  }

  /** Undefined from a daemon that does not say. May take as long as there is much recorded. */
  async verifyDecisions(id: string): Promise<Verification | undefined> {
    const path = `${servicePath(id)}/decisions?limit=1&verify=true`;
    const answer = decisionListSchema;
    return (await this.#ask({ path, answer, timeoutMs: CHANGE_TIMEOUT_MS })).verification;
  }

  /** Where all services answer: at once, or when the version is another than `after`, or when the wait is over. */
  endpoints(
    question: { readonly change?: { after: number; waitMs: number }; readonly signal?: AbortSignal } = {},
  ): Promise<EndpointDirectory> {
    const { change, signal } = question;
    const search = change === undefined ? "" : `?after=${change.after}&wait=${change.waitMs}ms`;
    return this.#ask({
      path: `/v1/endpoints${search}`,
      answer: endpointDirectorySchema,
      timeoutMs: (change?.waitMs ?? 0) + READ_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  explain(id: string, atMs: number | undefined): Promise<Explanation> {
    const search = atMs === undefined ? "" : `?at=${atMs}`;
    return this.#ask({ path: `${servicePath(id)}/explain${search}`, answer: explanationSchema });
  }

  /** As much as the daemon answers at once; `nextFromMs` of the answer says where to go on. */
  history(
    id: string,
    { fromMs, toMs }: { fromMs: number; toMs: number },
    timeoutMs: number = READ_TIMEOUT_MS,
  ): Promise<History> {
    const path = `${servicePath(id)}/history?from=${Math.floor(fromMs)}&to=${Math.ceil(toMs)}`;
    return this.#ask({ path, answer: historySchema, timeoutMs });
  }

  async tokens(): Promise<TokenView[]> {
    return (await this.#ask({ path: "/v1/tokens", answer: tokenListSchema })).tokens;
  }

  createToken(request: TokenRequest): Promise<CreatedToken> {
    return this.#ask({ method: "POST", path: "/v1/tokens", body: request, answer: createdTokenSchema });
  }

  async revokeToken(name: string): Promise<void> {
    const path = `/v1/tokens/${encodeURIComponent(name)}`;
    await this.#ask({ method: "DELETE", path, answer: revokedTokenSchema });
  }

  setAutoscale(id: string, request: AutoscaleRequest): Promise<AutoscaleAnswer> {
    const path = `${servicePath(id)}/autoscale`;
    return this.#ask({ method: "PUT", path, body: request, answer: autoscaleAnswerSchema });
  }

  scale(id: string, request: ScaleRequest): Promise<ScaleAnswer> {
    const path = `${servicePath(id)}/scale`;
    return this.#ask({ method: "PUT", path, body: request, answer: scaleAnswerSchema });
  }

  async rollouts(): Promise<RolloutAnswer[]> {
    return (await this.#ask({ path: "/v1/rollouts", answer: rolloutListSchema })).rollouts;
  }

  async rollback(id: string): Promise<RolloutAnswer> {
    return await this.#ask({ method: "PUT", path: `${servicePath(id)}/rollback`, answer: rolloutSchema });
  }

  async resumeRollout(id: string): Promise<RolloutAnswer> {
    return await this.#ask({
      method: "PUT",
      path: `${servicePath(id)}/rollout/resume`,
      answer: rolloutSchema,
    });
  }

  /** Of a service of which two templates stand side by side. */
  async changeTrial(id: string, change: TrialChange): Promise<RolloutAnswer> {
    const path = `${servicePath(id)}/trial`;
    return await this.#ask({ method: "PUT", path, body: change, answer: rolloutSchema });
  }

  async jobs(): Promise<readonly JobAnswer[]> {
    return (await this.#ask({ path: "/v1/jobs", answer: jobListSchema })).jobs;
  }

  /** Newest first. */
  async jobRuns(id: string, limit: string): Promise<readonly RunAnswer[]> {
    const path = `${jobPath(id)}/runs?limit=${encodeURIComponent(limit)}`;
    return (await this.#ask({ path, answer: runListSchema })).runs;
  }

  runJob(id: string): Promise<RunAnswer> {
    return this.#ask({ method: "POST", path: `${jobPath(id)}/runs`, answer: runSchema });
  }

  /** @param run of a job; absent: the newest that began */
  logs(id: string, { run, lines }: { run: string | undefined; lines: string }): Promise<LogsAnswer> {
    const search = new URLSearchParams({ lines, ...(run === undefined ? {} : { run }) });
    return this.#ask({ path: `${servicePath(id)}/logs?${search}`, answer: logsSchema });
  }

  async audit(limit: number): Promise<AuditLine[]> {
    return (await this.#ask({ path: `/v1/audit?limit=${limit}`, answer: auditSchema })).lines;
  }

  async failures(id: string): Promise<readonly FailureView[]> {
    const path = `${servicePath(id)}/failures`;
    return (await this.#ask({ path, answer: failureListSchema })).failures;
  }

  /** @param project absent: all of them */
  doctor(project: string | undefined): Promise<Doctor> {
    const search = project === undefined ? "" : `?project=${encodeURIComponent(project)}`;
    return this.#ask({ path: `/v1/doctor${search}`, answer: doctorSchema, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  leftovers(): Promise<Leftovers> {
    return this.#ask({ path: "/v1/leftovers", answer: leftoversSchema, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  sweep(body: SweepRequest): Promise<Swept> {
    const path = "/v1/leftovers/sweep";
    return this.#ask({ method: "POST", path, body, answer: sweptSchema, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  alerts(limit: number): Promise<AlertList> {
    return this.#ask({ path: `/v1/alerts?limit=${limit}`, answer: alertListSchema });
  }

  acknowledge(id: string, body: AckRequest): Promise<AlertView> {
    const path = `/v1/alerts/${encodeURIComponent(id)}/ack`;
    return this.#ask({ method: "POST", path, body, answer: alertSchema });
  }

  async silences(): Promise<readonly SilenceView[]> {
    return (await this.#ask({ path: "/v1/silences", answer: silenceListSchema })).silences;
  }

  silence(body: SilenceAsked): Promise<SilenceView> {
    return this.#ask({ method: "POST", path: "/v1/silences", body, answer: silenceSchema });
  }

  endSilence(id: string): Promise<SilenceView> {
    const path = `/v1/silences/${encodeURIComponent(id)}`;
    return this.#ask({ method: "DELETE", path, answer: silenceSchema });
  }

  testChannel(name: string): Promise<ChannelTest> {
    const path = `/v1/channels/${encodeURIComponent(name)}/test`;
    return this.#ask({ method: "POST", path, answer: channelTestSchema, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  applyProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    return this.#changeProject("PUT", projectPath(name), request);
  }

  planProject(name: string, request: ProjectRequest): Promise<ProjectAnswer> {
    return this.#changeProject("POST", `${projectPath(name)}/plan`, request);
  }

  removeProject(name: string): Promise<ProjectAnswer> {
    return this.#changeProject("DELETE", projectPath(name));
  }

  #changeProject(
    method: "PUT" | "POST" | "DELETE",
    path: string,
    body?: ProjectRequest,
  ): Promise<ProjectAnswer> {
    return this.#ask({ method, path, body, answer: projectAnswerSchema, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  async #ask<Schema extends z.ZodType>(ask: Ask<Schema>): Promise<z.infer<Schema>> {
    const { method = "GET", path, body, answer, alsoAnswers, timeoutMs = READ_TIMEOUT_MS, signal } = ask;
    const timeout = AbortSignal.timeout(timeoutMs);
    let status: number;
    let text: string;
    try {
      const response = await askHttp(`${this.address}${path}`, {
        method,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([timeout, ...(signal === undefined ? [] : [signal])]),
      });
      status = response.statusCode ?? 0;
      text = (await readBody(response)).text;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#unreachable(
        timeout.aborted ? `no answer within ${timeoutMs / 1_000} s` : messageOf(error),
        error,
      );
    }
    const document = parseJson(text);
    if ((status >= 200 && status < 300) || status === alsoAnswers) {
      const result = answer.safeParse(document);
      if (result.success) return result.data;
      throw this.#notADaemon(
        `${path} answers what this version cannot read: ${z.prettifyError(result.error)}`,
      );
    }
    const problem = problemSchema.safeParse(document);
    if (problem.success) throw asError(problem.data);
    throw this.#notADaemon(`${path} answers ${status} without a problem document`);
  }

  #unreachable(reason: string, error: unknown): FlyballError {
    return new FlyballError(
      "DAEMON_UNREACHABLE",
      `no daemon answers at ${this.address} (${reason}): start one with flyball serve, or name another with --address`,
      { cause: error },
    );
  }

  #notADaemon(reason: string): FlyballError {
    return new FlyballError(
      "DAEMON_UNREACHABLE",
      `what answers at ${this.address} is not a Flyball daemon of this version: ${reason}`,
    );
  }
}

/** False when no daemon answers. Throws what else is wrong. */
export async function isReachable(client: Client): Promise<boolean> {
  try {
    await client.readiness();
    return true;
  } catch (error) {
    if (isFlyballError(error) && error.code === "DAEMON_UNREACHABLE") return false;
    throw error;
  }
}

function asError(problem: ProblemDocument): FlyballError {
  const code = isErrorCode(problem.code) ? problem.code : "INTERNAL";
  const hint = code === "UNAUTHORIZED" ? "; set FLYBALL_TOKEN to the daemon's token" : "";
  return new FlyballError(code, problem.detail + hint, { problems: problem.errors ?? [] });
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function servicePath(id: string): string {
  return `/v1/services/${encodeURIComponent(id)}`;
}

function jobPath(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

function projectPath(name: string): string {
  return `/v1/projects/${encodeURIComponent(name)}`;
}
