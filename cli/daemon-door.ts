import type { Config } from "../core/config.ts";
import type { Diagnostic } from "../core/diagnostics.ts";
import type { Log } from "../core/log.ts";
import type { RuleMetric, ScalingPolicy } from "../core/types.ts";
import type { ProjectAnswer, ProjectRequest } from "../core/wire.ts";
import type { Doctor } from "../core/wire-care.ts";
import type { History } from "../core/wire-history.ts";

export interface RunningDaemon extends AsyncDisposable {
  readonly address: Config["listen"];
}

export interface ComposeOptions {
  readonly files?: readonly string[];
  readonly projectName?: string;
  readonly projectDirectory?: string;
  readonly envFiles?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

export interface ReadProject {
  readonly name: string;
  readonly request: ProjectRequest;
  readonly diagnostics: readonly Diagnostic[];
}

interface BacktestConditions {
  readonly startDelayMs: number;
  readonly compare: readonly string[];
}

/** On a load from a file, or on what a service itself used. */
export type BacktestRequest =
  | (BacktestConditions & {
      /** A CSV file: its name for messages, and what it says. */
      readonly trace: { readonly name: string; readonly text: string };
      /** Only this part of it: times since its first sample. */
      readonly part: { readonly fromMs?: number; readonly toMs?: number };
      readonly labels: string;
      readonly capacity: number | "auto";
    })
  | (BacktestConditions & {
      readonly history: History;
      readonly rules: ServiceRules;
    });

/** Labels in one line, with the configuration's defaults; or what the daemon read already. */
export type ServiceRules =
  | { readonly labels: string; readonly defaults?: Readonly<Record<string, string>> }
  | { readonly policy: ScalingPolicy };

/** What a backtest found; printed as JSON as it is. */
export interface BacktestReport {
  readonly trace: {
    readonly name: string;
    readonly samples: number;
    readonly stepSeconds: number;
    readonly gaps: number;
    readonly missing: number;
  };
  readonly leftOut: readonly RuleMetric[];
  readonly startDelaySeconds: number;
  /** Absent: the load is in replicas of the service. */
  readonly capacity?: number;
  readonly stepSeconds: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly policies: readonly { readonly name: string; readonly scores: BacktestScores }[];
}

/** As scaler/backtest/scores.ts defines them. */
export interface BacktestScores {
  readonly overloadPercent: number;
  readonly cost: number;
  readonly thetaU: number;
  readonly thetaO: number;
  readonly tauU: number;
  readonly tauO: number;
  readonly adaptationsPerHour: number;
  readonly reversalsPerHour: number;
  readonly meanReplicas: number;
  readonly hours: number;
}

export interface FinishedBacktest {
  readonly report: BacktestReport;
  /** CSV, in chunks. */
  series(): Iterable<string>;
  /** SVG. */
  plot(): string;
}

/** What the command asks of the daemon's code when it runs it itself. */
export interface DaemonCode {
  startDaemon(options: { config: Config; log: Log }): Promise<RunningDaemon>;
  /** This process goes on as the collector alone, and does not come back. */
  startAgent(options: { config: Config; intervalMs: number; listen: Config["listen"] }): void;
  readCompose(options: ComposeOptions): Promise<ReadProject>;
  planWithoutDaemon(options: {
    config: Config;
    log: Log;
    name: string;
    request: ProjectRequest;
  }): Promise<ProjectAnswer>;
  /** The verdicts on compose files, from them and from what runs of them, without a daemon. */
  diagnoseFiles(options: {
    config: Config;
    log: Log;
    name: string;
    request: ProjectRequest;
  }): Promise<Doctor>;
  runBacktest(request: BacktestRequest): Promise<FinishedBacktest>;
}

/** Loaded only by the commands that need it: it brings every room with it. */
export async function loadDaemonCode(): Promise<DaemonCode> {
  return await import("../daemon.ts");
}
