/** Asks a replica, one check after the other, for as long as it runs. */
import type { Clock } from "../../../core/clock.ts";
import type { Healthcheck } from "../../../core/types.ts";
import { type Place, runBeside } from "./exec.ts";
import { afterCheck, checkCommand, type Health, pauseMs, UNKNOWN_HEALTH } from "./health.ts";

export interface HealthMonitorOptions {
  readonly check: Healthcheck;
  readonly place: Place;
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
  readonly #over = new AbortController();

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
    this.#over.abort();
    clearTimeout(this.#timer);
  }

  #sinceStartMs(): number {
    return this.#options.clock.nowMs() - this.#options.startedAtMs;
  }

  #schedule(): void {
    if (this.#over.signal.aborted) return;
    const delayMs = pauseMs(this.#options.check, this.#health, this.#sinceStartMs());
    this.#timer = setTimeout(() => {
      void this.#ask().then(
        (passed) => this.#take(passed),
        () => this.#take(false),
      );
    }, delayMs).unref();
  }

  #take(passed: boolean): void {
    if (this.#over.signal.aborted) return;
    const before = this.#health;
    this.#health = afterCheck(this.#options.check, before, passed, this.#sinceStartMs());
    if (before.state !== this.#health.state) this.#options.onChange(this.#health);
    this.#schedule();
  }

  /** True when the command ended with status 0 in time. */
  async #ask(): Promise<boolean> {
    const { check, place } = this.#options;
    const command = { argv: this.#argv, timeoutMs: check.timeoutMs, outputBytes: 0 };
    const { exitCode } = await runBeside(command, place, this.#over.signal);
    return exitCode === 0;
  }
}
