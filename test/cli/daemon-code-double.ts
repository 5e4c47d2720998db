import assert from "node:assert/strict";
import type { ComposeOptions, DaemonCode } from "../../cli/daemon-door.ts";
import type { Config } from "../../core/config.ts";
import { FlyballError } from "../../core/errors.ts";
import type { ProjectAnswer } from "../../core/wire.ts";
import { projectAnswer } from "./documents.ts";
import { NO_SUCH_PROJECT, type Recording, startRecordedDaemon } from "./recorded-daemon.ts";

export const request = { compose: { services: {} }, workingDirectory: "/srv/shop", composeFiles: ["a.yaml"] };

const foundByReading = {
  severity: "warning",
  path: "services.web.build",
  message: "is not honoured",
  file: "a.yaml",
  line: 3,
} as const;

/** What the daemon finds: what reading the files had found already, and one thing more. */
export const applied: ProjectAnswer = {
  ...projectAnswer,
  diagnostics: [foundByReading, { severity: "error", path: "services.db.labels", message: "unknown label" }],
};

export const READY: Recording = { body: { ready: true, engine: "process", collector: "running" } };

export const PROJECT_PAGES: Readonly<Record<string, Recording>> = {
  "GET /readyz": READY,
  "GET /v1/services": { body: { services: [] } },
  "PUT /v1/projects/shop": { body: applied },
  "POST /v1/projects/shop/plan": { body: projectAnswer },
  "DELETE /v1/projects/shop": { body: { ...projectAnswer, services: [] }, afterwards: NO_SUCH_PROJECT },
};

/** The daemon's code as the command meets it: the daemon it starts answers recorded documents. */
export function daemonCodeDouble() {
  const calls: string[] = [];
  let composeOptions: ComposeOptions | undefined;
  let config: Config | undefined;
  const code: DaemonCode = {
    async startDaemon(options) {
      config = options.config;
      const daemon = await startRecordedDaemon(PROJECT_PAGES);
      calls.push("start");
      return {
        address: { host: "127.0.0.1", port: daemon.port },
        async [Symbol.asyncDispose]() {
          calls.push(...daemon.heard.map((heard) => heard.request).filter((text) => !text.startsWith("GET")));
          await daemon[Symbol.asyncDispose]();
          calls.push("stop");
        },
      };
    },
    async readCompose(options) {
      composeOptions = options;
      if (options.files?.includes("missing.yaml")) {
        throw new FlyballError("COMPOSE_NOT_FOUND", "expected a file, got nothing at missing.yaml");
      }
      return { name: options.projectName ?? "shop", request, diagnostics: [foundByReading] };
    },
    startAgent({ config: { dockerHost }, intervalMs, listen }) {
      calls.push(
        `agent ${listen.host} ${listen.port} every ${intervalMs} ms of ${dockerHost ?? "any engine"}`,
      );
    },
    async runBacktest() {
      return assert.fail("a backtest was not asked for");
    },
    async diagnoseFiles({ name }) {
      calls.push(`diagnose ${name}`);
      return { services: [], missing: [] };
    },
    async planWithoutDaemon({ name }) {
      calls.push(`plan ${name}`);
      return projectAnswer;
    },
  };
  return {
    code,
    calls,
    composeOptions: () => composeOptions,
    config: () => config,
  };
}
