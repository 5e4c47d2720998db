import type { DecisionView, ProjectAnswer, ServiceDetail, ServiceView } from "../../core/wire.ts";

export const NOW_MS = Date.UTC(2026, 10, 21, 8, 0, 0);

export const decision: DecisionView = {
  service: "shop_web",
  atMs: NOW_MS - 14_000,
  from: 2,
  wanted: 5,
  to: 4,
  sentence: "CPU at 91 % is above 70 %: 2 more replicas, up to the bound of 4",
  verdicts: [],
  limits: [{ limit: "max", from: 5, to: 4 }],
};

export const web: ServiceView = {
  id: "shop_web",
  project: "shop",
  name: "web",
  replicas: { desired: 4, running: 4, ready: 2, min: 1, max: 4 },
  load: { cpuRatio: 0.912, memoryRatio: 0.2 },
  autoscale: { maxCpuRatio: 0.7, step: 2, dryRun: false },
  businessLabels: { team: "checkout" },
  lastDecision: decision,
};

/** Nothing was read of it yet, and it does not scale by itself. */
export const db: ServiceView = {
  id: "shop_db",
  project: "shop",
  name: "db",
  replicas: { desired: 1, running: 1, ready: 1 },
  load: {},
  businessLabels: {},
};

export const otherWeb: ServiceView = { ...db, id: "blog_web", project: "blog", name: "web" };

export const webDetail: ServiceDetail = {
  ...web,
  replicas: { desired: 2, running: 2, ready: 1, min: 1, max: 4 },
  replicaList: [
    {
      id: "b2",
      slot: 2,
      name: "shop-web-2",
      state: "exited",
      origin: "flyball",
      exitCode: 137,
      endpoints: [],
      notEnforced: [],
    },
    {
      id: "a1",
      slot: 1,
      name: "shop-web-1",
      state: "running",
      origin: "flyball",
      startedAtMs: NOW_MS - 90_000,
      endpoints: [{ targetPort: 8080, host: "127.0.0.1", port: 40_001 }],
      notEnforced: ["memory limit"],
      cpuCores: 0.456,
      memoryWorkingSetBytes: 12 * 2 ** 20,
    },
  ],
  holds: ["shop-web-3 is kept: its state is unknown"],
};

export const projectAnswer: ProjectAnswer = {
  project: "shop",
  services: ["shop_web", "shop_db"],
  diagnostics: [],
  plan: [
    { action: "create shop-web-1", cause: "shop_web has 0 of 2 replicas" },
    { action: "create shop-web-2", cause: "shop_web has 0 of 2 replicas" },
  ],
  holds: [],
};
