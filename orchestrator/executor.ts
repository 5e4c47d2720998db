import { messageOf } from "../core/errors.ts";
import type { Action, Plan, ReplicaId } from "../core/types.ts";
import { Agenda } from "./agenda.ts";

export interface ActionResult {
  readonly action: Action;
  /** `skipped`: something it had to wait for failed. */
  readonly outcome: "done" | "failed" | "skipped";
  readonly error?: Error;
  readonly tookMs: number;
}

export interface ExecutorOptions {
  /** `created` is the id that the slot's create-replica returned, for a start-replica that names none. */
  readonly perform: (action: Action, created: ReplicaId | undefined) => Promise<ReplicaId | undefined>;
  readonly onResult: (result: ActionResult) => void;
  /** Actions at once. */
  readonly parallelism: number;
  readonly monotonicMs: () => number;
}

/**
 * Walks a plan: each action as soon as all it waits for is done, several at a time, no decision of its own. One
 * failure skips what waits for it and nothing else. Resolves when every action has its result.
 */
export async function execute(plan: Plan, options: ExecutorOptions): Promise<void> {
  const agenda = new Agenda(plan.actions);
  const created = new Map<string, ReplicaId>();
  const ended = Promise.withResolvers<void>();
  let running = 0;

  const begin = (): void => {
    while (running < options.parallelism) {
      const action = agenda.next();
      if (action === undefined) break;
      running += 1;
      run(action)
        .then(() => {
          running -= 1;
          begin();
        })
        .catch(ended.reject);
    }
    if (running === 0) ended.resolve();
  };
  const succeeded = (action: Action, tookMs: number): void => {
    agenda.done(action);
    options.onResult({ action, outcome: "done", tookMs });
  };
  const failed = (action: Action, error: Error, tookMs: number): void => {
    options.onResult({ action, outcome: "failed", error, tookMs });
    for (const skipped of agenda.failed(action)) {
      options.onResult({ action: skipped, outcome: "skipped", tookMs: 0 });
    }
  };
  // What throws at once must fail no sooner than what rejects: by then it is known to run.
  const perform = async (...what: Parameters<ExecutorOptions["perform"]>) => options.perform(...what);
  const run = async (action: Action): Promise<void> => {
    const startedMs = options.monotonicMs();
    const took = () => options.monotonicMs() - startedMs;
    try {
      const slot = "slot" in action ? `${action.service}#${action.slot}` : "";
      const id = await perform(action, created.get(slot));
      if (id !== undefined) created.set(slot, id);
      succeeded(action, took());
    } catch (thrown) {
      failed(action, thrown instanceof Error ? thrown : new Error(messageOf(thrown)), took());
    }
  };

  begin();
  await ended.promise;
}
