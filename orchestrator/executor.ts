import { messageOf } from "../core/errors.ts";
import type { Action, Plan, ReplicaId } from "../core/types.ts";

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
  const outcomes = new Map<number, ActionResult["outcome"]>();
  const created = new Map<string, ReplicaId>();
  let waiting = [...plan.actions];
  const running = new Map<number, Promise<void>>();

  const finish = (result: ActionResult) => {
    outcomes.set(result.action.id, result.outcome);
    options.onResult(result);
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
      finish({ action, outcome: "done", tookMs: took() });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
      finish({ action, outcome: "failed", error, tookMs: took() });
    } finally {
      running.delete(action.id);
    }
  };

  while (waiting.length > 0 || running.size > 0) {
    const still: Action[] = [];
    for (const action of waiting) {
      const needs = action.after.map((id) => outcomes.get(id));
      if (needs.some((outcome) => outcome === "failed" || outcome === "skipped")) {
        finish({ action, outcome: "skipped", tookMs: 0 });
      } else if (needs.every((outcome) => outcome === "done") && running.size < options.parallelism) {
        running.set(action.id, run(action));
      } else {
        still.push(action);
      }
    }
    waiting = still;
    if (running.size > 0) await Promise.race(running.values());
  }
}
