/** Asks a replica, one check after the other, for as long as it runs. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../../core/clock.ts";
import type { Healthcheck } from "../../../core/types.ts";
import { afterCheck, checkCommand, type Health, pauseMs, UNKNOWN_HEALTH } from "./health.ts";
import { VARIABLES } from "./identity.ts";
import type { UserIds } from "./user.ts";

export interface HealthMonitorOptions {
  readonly check: Healthcheck;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user?: UserIds;
  /** What is known already, of a replica that was found again. */
  readonly health?: Health;
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly onChange: (health: Health) => void;
}

export class HealthMonitor implements Disposable {
  readonly #options: HealthMonitorOptions;
  readonly #argv: readonly string[];
  #health: Health;
  #timer: NodeJS.Timeout | undefined;
  #asking: ChildProcess | undefined;
  #over = false;

  constructor(options: HealthMonitorOptions, argv: readonly string[]) {
    this.#options = options;
    this.#argv = argv;
    this.#health = options.health ?? UNKNOWN_HEALTH;
    this.#schedule();
  }

  /** Undefined when there is nothing to ask. */
  static start(options: HealthMonitorOptions): HealthMonitor | undefined {
    const argv = checkCommand(options.check.test);
    return argv === undefined ? undefined : new HealthMonitor(options, argv);
  }

  get health(): Health {
    return this.#health;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    clearTimeout(this.#timer);
    if (this.#asking !== undefined) killCheck(this.#asking);
  }

  #sinceStartMs(): number {
    return this.#options.clock.nowMs() - this.#options.startedAtMs;
  }

  #schedule(): void {
    if (this.#over) return;
    const delayMs = pauseMs(this.#options.check, this.#health, this.#sinceStartMs());
    this.#timer = setTimeout(() => {
      void this.#ask().then(
        (passed) => this.#take(passed),
        () => this.#take(false),
      );
    }, delayMs).unref();
  }

  #take(passed: boolean): void {
    if (this.#over) return;
    const before = this.#health;
    this.#health = afterCheck(this.#options.check, before, passed, this.#sinceStartMs());
    if (before.state !== this.#health.state) this.#options.onChange(this.#health);
    this.#schedule();
  }

  /** True when the command ended with status 0 in time. */
  #ask(): Promise<boolean> {
    const { check, environment, workingDirectory, user } = this.#options;
    const [command = "", ...rest] = this.#argv;
    return new Promise((resolve) => {
      const child = spawn(command, rest, {
        cwd: workingDirectory,
        env: { ...environment, [VARIABLES.role]: "healthcheck" },
        detached: true,
        stdio: "ignore",
        ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
      });
      this.#asking = child;
      child.unref();
      const timer = setTimeout(() => killCheck(child), check.timeoutMs).unref();
      const end = (passed: boolean): void => {
        clearTimeout(timer);
        this.#asking = undefined;
        resolve(passed);
      };
      child.once("error", () => end(false));
      child.once("exit", (code) => end(code === 0));
    });
  }
}

/** With all it started. It is our own child and not yet collected, so that its number is still its own. */
function killCheck(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
