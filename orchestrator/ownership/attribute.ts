import type { Change, Seat } from "./look.ts";
import { type Traces, wasToldToStop } from "./signs.ts";

/** Who may have done it: an engine does not tell whose call it was. */
export type Hand = "docker compose" | "docker compose or somebody" | "somebody";

export interface Attribution {
  readonly who: Hand;
  /** As `docker compose up removed web-2 and web-3`. */
  readonly sentence: string;
}

/** Who has changed the count, as far as the way it was done tells. */
export function attribute(change: Change, traces: Traces): Attribution {
  const who = handOf(change, traces);
  const { service, found, removed, came, stopped } = change;
  const done = [
    ...(removed.length === 0 ? [] : [`removed ${named(change, removed)}`]),
    ...(stopped.length === 0 ? [] : [`stopped ${named(change, stopped)}`]),
    ...(came.length === 0 ? [] : [`started ${named(change, came)}`]),
  ].join(" and ");
  const compose =
    found === service.initialReplicas
      ? "docker compose up"
      : `docker compose up --scale ${service.name}=${found}`;
  const when = change.whileAway ? " while Flyball was not running" : "";
  const subject = who === "docker compose or somebody" ? `${compose}, or somebody,` : who;
  return { who, sentence: `${who === "docker compose" ? compose : subject} ${done}${when}` };
}

function handOf(change: Change, traces: Traces): Hand {
  const { removed, came, stopped, replaced, remaining, found, service, whileAway } = change;
  if (stopped.length > 0) return "somebody";
  const byCompose = came.filter(({ id }) => traces.get(id)?.byCompose === true);
  if (replaced || byCompose.length > 0) return "docker compose";
  // Nobody has heard how it was made.
  if (whileAway && came.length > 0) return "docker compose or somebody";
  if (came.length > 0 || removed.length === 0) return "somebody";
  // Compose stops before it removes, takes the highest numbers, and takes them all at once.
  const lowestRemoved = Math.min(...removed.map(({ slot }) => slot));
  const areHighest = remaining.every(({ slot }) => slot < lowestRemoved);
  if (whileAway) return areHighest ? "docker compose or somebody" : "somebody";
  if (!areHighest || !removed.every(({ id }) => wasToldToStop(traces.get(id)))) return "somebody";
  if (found === service.initialReplicas) return "docker compose";
  return removed.length > 1 && wereAtOnce(removed, traces) ? "docker compose" : "docker compose or somebody";
}

/** The last was told to stop before the first was removed. */
function wereAtOnce(seats: readonly Seat[], traces: Traces): boolean {
  const known = seats.map(({ id }) => traces.get(id));
  const told = known.map((trace) => trace?.killedAtMs ?? Number.POSITIVE_INFINITY);
  const removed = known.map((trace) => trace?.removedAtMs ?? 0);
  return Math.max(...told) <= Math.min(...removed);
}

function named({ service }: Change, seats: readonly Seat[]): string {
  const names = seats.toSorted((a, b) => a.slot - b.slot).map(({ slot }) => `${service.name}-${slot}`);
  if (names.length <= 1) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
