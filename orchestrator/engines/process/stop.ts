/** Ending everything of a replica: the stop signal, the grace, the kill. */
import type { Clock } from "../../../core/clock.ts";
import { FlyballError } from "../../../core/errors.ts";
import {
  findMembers,
  type Group,
  killGroup,
  livingMembers,
  type Member,
  signalGroup,
  signalMembers,
} from "./group.ts";
import { isAlive } from "./proc.ts";

export interface StopOptions {
  readonly group: Group;
  readonly signal: number;
  /** What is left of the grace. */
  readonly graceMs: number;
  readonly clock: Clock;
}

const POLL_MS = 100;

export class Stop {
  readonly #options: StopOptions;
  #graceOver = false;
  #cancelled = false;
  /** What was seen of the group when its leader ended. */
  #left: readonly Member[] = [];
  #wake: () => void = () => undefined;

  constructor(options: StopOptions) {
    this.#options = options;
  }

  /** Ends the grace: the kill comes now, and the signal not at all when it has not been sent yet. */
  harden(): void {
    this.#graceOver = true;
    this.#wake();
  }

  leaderEnded(left: readonly Member[]): void {
    this.#left = left;
    this.#wake();
  }

  /** Leaves it as it is, for a later engine to carry on. */
  cancel(): void {
    this.#cancelled = true;
    this.#wake();
  }

  /**
   * Resolves when nothing of the group is left.
   * @throws FlyballError ENGINE_REFUSED when something survives the kill, ENGINE_UNAVAILABLE when cancelled
   */
  async run(): Promise<void> {
    const { group, signal, graceMs, clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + graceMs;
    if (!this.#graceOver && !signalGroup(group.leader, signal)) signalMembers(findMembers(group), signal);
    while (!this.#graceOver && clock.monotonicMs() < deadlineMs && this.#somethingLives()) {
      await this.#pause(Math.max(0, Math.min(POLL_MS, deadlineMs - clock.monotonicMs())));
      if (this.#cancelled)
        throw new FlyballError("ENGINE_UNAVAILABLE", "the engine was closed during a stop");
    }
    await killGroup(group, this.#left);
  }

  #somethingLives(): boolean {
    const { group } = this.#options;
    return isAlive(group.leader) || livingMembers(this.#left).length > 0 || findMembers(group).length > 0;
  }

  async #pause(durationMs: number): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const timer = setTimeout(woken.resolve, durationMs);
    await woken.promise;
    clearTimeout(timer);
  }
}
