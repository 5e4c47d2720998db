import assert from "node:assert/strict";
import type { AccessControl } from "../../api/access-control.ts";
import type { Control } from "../../api/control.ts";
import { Discovery } from "../../api/discovery/discovery.ts";
import type { HistorySpan } from "../../api/history.ts";
import type { JobControl, LogsQuery } from "../../api/job-control.ts";
import { FlyballError } from "../../core/errors.ts";
import type { Service } from "../../core/types.ts";
import type { AutoscaleRequest, ProjectAnswer, ServiceDetail } from "../../core/wire.ts";
import type { AckRequest, AlertView, SilenceAsked, SilenceView } from "../../core/wire-alerts.ts";
import type { FailureView, Leftovers } from "../../core/wire-care.ts";
import type { JobAnswer, LogsAnswer, RunAnswer } from "../../core/wire-jobs.ts";
import type { RolloutAnswer } from "../../core/wire-rollouts.ts";

export const shopWeb: ServiceDetail = {
  id: "shop_web",
  project: "shop",
  name: "web",
  replicas: { desired: 2, running: 2, ready: 1, min: 1, max: 4 },
  load: { cpuRatio: 0.42 },
  businessLabels: { team: "checkout" },
  replicaList: [],
  holds: ["shop-web-3 is kept: its state is unknown"],
};

const answer: ProjectAnswer = {
  project: "shop",
  services: ["shop_web"],
  diagnostics: [],
  plan: [{ action: "create shop-web-1", cause: "shop_web has 0 of 1 replicas" }],
  holds: [],
};

export const failure: FailureView = {
  service: "shop_web",
  slot: 1,
  replica: "a1",
  name: "shop-web-1",
  failure: "oom",
  reason: "was killed: it took more memory than its limit (status 137)",
  takenAtMs: 1_800_000_000_000,
  exitCode: 137,
  oomKilled: true,
  log: "filling",
  inspect: { Id: "a1" },
  missing: [],
};

export const leftovers: Leftovers = {
  items: [
    { key: "log a.log", kind: "log", name: "a.log", bytes: 4, why: "the log of a replica that is no more" },
  ],
  kept: [],
};

export const alert: AlertView = {
  id: "5290d953ed03546d",
  state: "firing",
  severity: "critical",
  labels: { alertname: "ServiceDown", project: "shop", service: "shop_web", severity: "critical" },
  summary: "shop_web has no ready replica; 2 should be",
  advice: "See why: flyball ps shop_web",
  pendingAtMs: 1_800_000_000_000,
  firingAtMs: 1_800_000_060_000,
};

const silence: SilenceView = {
  id: "s1",
  state: "active",
  matchers: [{ name: "service", value: "shop_web", isEqual: true, isRegex: false }],
  startsAtMs: 1_800_000_000_000,
  endsAtMs: 1_900_000_000_000,
  createdAtMs: 1_800_000_000_000,
  author: "ann",
  comment: "known",
  alerts: 1,
};

const rollout: RolloutAnswer = {
  service: "shop_web",
  state: "updating",
  revision: 3,
  templateHash: "third",
  previousRevision: 2,
  previousTemplateHash: "second",
  updated: 1,
  total: 4,
  failures: 0,
  startedAtMs: 1_900_000_000_000,
  sentence: "updating from revision 2 to revision 3: 1 of 4 replicas have proven healthy",
};

const run: RunAnswer = {
  id: "shop_backup@20261121T030000Z",
  name: "20261121T030000Z",
  service: "shop_backup",
  trigger: "schedule",
  state: "failed",
  dueAtMs: 1_795_230_000_000,
  startedAtMs: 1_795_230_000_100,
  endedAtMs: 1_795_230_009_000,
  reason: "it ended with status 3",
  tasks: [{ index: 0, state: "failed", attempt: 1, exitCode: 3 }],
};

export const job: JobAnswer = {
  service: "shop_backup",
  project: "shop",
  name: "backup",
  due: "0 3 * * *",
  nextDueAtMs: 1_795_316_400_000,
  active: [],
  last: run,
};

/** Remembers what it was asked. It knows one service, `shop_web`, with bounds 1..4. */
export class ControlDouble implements Control {
  readonly calls: unknown[] = [];
  ready = true;
  /** Thrown by `services` when set. */
  defect: unknown;
  /** Resolves when `scale` was called. */
  readonly scaling = Promise.withResolvers<void>();
  /** Awaited by `scale` when set. */
  gate: Promise<void> | undefined;

  readiness() {
    return { ready: this.ready, engine: "docker 26.1", collector: "running" };
  }

  services() {
    if (this.defect !== undefined) throw this.defect;
    const { replicaList: _replicas, holds: _holds, ...view } = shopWeb;
    return [view];
  }

  service(id: string) {
    this.#require(id);
    return shopWeb;
  }

  decisions(id: string, query: { limit: number; changesOnly: boolean }) {
    this.#require(id);
    this.calls.push({ decisions: id, ...query });
    return [];
  }

  explain(id: string, atMs: number | undefined) {
    this.#require(id);
    this.calls.push({ explain: id, atMs });
    return { lines: ["nothing was decided yet"] };
  }

  history(id: string, { fromMs = 0, toMs = fromMs + 60_000 }: HistorySpan) {
    this.#require(id);
    this.calls.push({ history: id, fromMs, toMs });
    const minutes = [{ atMs: fromMs, readings: 60, replicas: 2, demand: { cpu: 0.84 } }];
    return { service: id, fromMs, toMs, resources: { limitCores: 1 }, minutes };
  }

  async verifyDecisions(id: string) {
    this.#require(id);
    this.calls.push({ verify: id });
    return { recorded: 3, identical: 3 };
  }

  setAutoscale(id: string, { mode }: AutoscaleRequest) {
    this.#require(id);
    this.calls.push({ autoscale: id, mode });
    return { service: id, mode: mode === "resumed" ? ("live" as const) : mode };
  }

  async scale(id: string, request: { replicas: number; reason?: string | undefined }) {
    this.#require(id);
    this.scaling.resolve();
    await this.gate;
    this.calls.push({ scale: id, ...request });
    if (request.replicas > 4) {
      throw new FlyballError("OUT_OF_BOUNDS", `expected 1..4 replicas of ${id}, got ${request.replicas}`);
    }
    return { service: id, from: 2, to: request.replicas };
  }

  readonly deployments = {
    rollouts: [rollout],
    rollback: (id: string) => {
      this.#require(id);
      this.calls.push({ rollback: id });
      return { ...rollout, state: "rolling back" as const };
    },
    resumeRollout: (id: string) => {
      this.#require(id);
      this.calls.push({ resume: id });
      return rollout;
    },
    trials: {
      promote: (id: string, weightRatio?: number) => {
        this.#require(id);
        this.calls.push({ promote: id, weightRatio });
        return rollout;
      },
      abort: (id: string) => {
        this.#require(id);
        this.calls.push({ abort: id });
        return { ...rollout, state: "rolling back" as const };
      },
    },
  };

  /** Knows nothing until a test has it observe something. */
  /** Nobody has a token, and nothing is written down; a test may put the real ones here. */
  readonly jobs: JobControl = {
    list: () => [job],
    runs: (id, most) => {
      this.calls.push({ runs: id, most });
      return [this.#run(id)];
    },
    run: (id) => {
      this.calls.push({ run: id });
      return this.#run(id);
    },
  };

  #run(id: string): RunAnswer {
    if (id !== job.service) throw new FlyballError("NOT_FOUND", `there is no job ${id}`);
    return run;
  }

  async logs(id: string, { lines }: LogsQuery): Promise<LogsAnswer> {
    return { service: id, parts: [{ name: "shop-web-1", text: `the last ${lines} lines` }] };
  }

  access: AccessControl = {
    tokens: {
      areThere: false,
      list: () => [],
      find: () => undefined,
      create: () => assert.fail("no token is made here"),
      revoke: () => assert.fail("there is no token here"),
    },
    writes: { add: () => {}, list: () => [] },
  };
  readonly discovery = new Discovery(() => this.running);
  /** What `discovery` takes for the services that should run. */
  running: readonly Service[] = [];

  readonly care = {
    failures: (id: string) => {
      this.#require(id);
      return [failure];
    },
    doctor: async (project: string | undefined) => {
      this.calls.push({ doctor: project });
      return { services: [], leftovers, missing: [] };
    },
    leftovers: async () => leftovers,
    sweep: async ({ keys }: { readonly keys: readonly string[] }) => {
      this.calls.push({ sweep: keys });
      return { swept: leftovers.items };
    },
  };

  readonly alerts = {
    list: (limit: number) => {
      this.calls.push({ alerts: limit });
      return { alerts: [alert], channels: [] };
    },
    acknowledge: (id: string, request: AckRequest) => {
      if (id !== alert.id) throw new FlyballError("NOT_FOUND", `no alert ${id} is pending or firing`);
      this.calls.push({ acknowledge: id, ...request });
      return { ...alert, acknowledged: { ...request, atMs: 1_900_000_000_000 } };
    },
    silences: () => [silence],
    silence: (request: SilenceAsked) => {
      this.calls.push({ silence: request });
      return { ...silence, ...request };
    },
    endSilence: (id: string) => {
      this.calls.push({ endSilence: id });
      return { ...silence, state: "expired" as const };
    },
    test: async (channel: string) => {
      if (channel !== "mail") throw new FlyballError("NOT_FOUND", `there is no channel ${channel}: mail`);
      return { channel, delivered: true, tookMs: 12 };
    },
  };

  async applyProject(name: string, request: { compose: Record<string, unknown> }) {
    this.calls.push({ apply: name, services: Object.keys(request.compose) });
    if ("bad" in request.compose) {
      throw new FlyballError("COMPOSE_INVALID", "the compose files cannot be used", {
        problems: [
          { at: "compose.yaml:3:5 services.web.ports", message: "expected a port, got seventy" },
          { at: "compose.yaml:9:5 services.api.image", message: "expected an image" },
        ],
      });
    }
    return answer;
  }

  async planProject(name: string) {
    this.calls.push({ plan: name });
    return answer;
  }

  async removeProject(name: string) {
    this.calls.push({ remove: name });
    return { ...answer, plan: [] };
  }

  audit(limit: number) {
    this.calls.push({ audit: limit });
    return [
      {
        atMs: 1_000,
        project: "shop",
        service: "shop_web",
        who: "docker compose",
        what: "external" as const,
        from: 3,
        to: 1,
        policy: "adopt",
        sentence: "docker compose up removed web-2 and web-3; goes on from 1",
      },
    ];
  }

  async metrics() {
    return { contentType: "text/plain; version=0.0.4; charset=utf-8", text: "flyball_up 1\n" };
  }

  #require(id: string): void {
    if (id !== "shop_web") throw new FlyballError("NOT_FOUND", `there is no service ${id}`);
  }
}
