import type { JobSpec } from "../../core/job.ts";
import type { Due, Missed } from "./due.ts";
import type { Run } from "./run.ts";

export interface Admission {
  readonly admitted: readonly Due[];
  readonly missed: readonly Missed[];
  /** Under way, and to be stopped for a later one. */
  readonly replaced: readonly { readonly run: Run; readonly reason: string }[];
}

/** A job that never ends must not fill the machine with runs of itself. */
const MOST_AT_ONCE = 20;

/**
 * Which of what is due becomes a run, by what of the job is under way. Several that are due at once were caught up:
 * unless they may run together, they are admitted to run one after another.
 */
export function admit(
  due: readonly Due[],
  active: readonly Run[],
  concurrency: JobSpec["concurrency"],
): Admission {
  const [oldest] = active;
  switch (concurrency) {
    case "forbid":
      return oldest === undefined ? allOf(due) : noneOf(due, `the run ${oldest.id} is still under way`);
    case "allow": {
      const room = Math.max(0, MOST_AT_ONCE - active.length);
      const { missed } = noneOf(due.slice(room), `${MOST_AT_ONCE} runs are under way already`);
      return { admitted: due.slice(0, room), missed, replaced: [] };
    }
    case "replace": {
      const last = due.at(-1);
      if (last === undefined) return allOf(due);
      return {
        admitted: [last],
        missed: noneOf(due.slice(0, -1), "a later one was due as well, which replaces it").missed,
        replaced: active
          .filter(({ ending }) => ending === undefined)
          .map((run) => ({ run, reason: "a later run was due" })),
      };
    }
  }
}

function allOf(due: readonly Due[]): Admission {
  return { admitted: due, missed: [], replaced: [] };
}

function noneOf(due: readonly Due[], reason: string): Admission {
  return { admitted: [], missed: due.map(({ dueAtMs }) => ({ dueAtMs, reason })), replaced: [] };
}
