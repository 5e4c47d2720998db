import type { Config } from "../core/config.ts";
import type { Diagnostic } from "../core/diagnostics.ts";
import type { Log } from "../core/log.ts";
import type { ProjectAnswer, ProjectRequest } from "../core/wire.ts";

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
}

/** Loaded only by the commands that need it: it brings every room with it. */
export async function loadDaemonCode(): Promise<DaemonCode> {
  return await import("../daemon.ts");
}
