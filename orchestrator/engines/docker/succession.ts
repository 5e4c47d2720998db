import { MINUTE_MS } from "../../../core/units.ts";

/** A container of one service, as far as compose's way of replacing one is concerned. */
export interface Candidate {
  readonly id: string;
  readonly number: string | undefined;
  /** It carries compose's label of a replacement. */
  readonly isReplacement: boolean;
  readonly createdAtMs: number;
}

export interface Succession {
  /** Made by compose in another's place; compose is about to start them. */
  readonly coming: ReadonlySet<string>;
  /** In whose place another was made; compose is about to remove them. */
  readonly going: ReadonlySet<string>;
}

/** Compose takes a second or two from making the successor to starting it; a compose that died takes for ever. */
const FRESH_MS = MINUTE_MS;

/**
 * Who compose is replacing at this moment. For a while there are two containers with one number: taking one of them
 * for a surplus would end compose's update half way, with the older definition left.
 */
export function succession(containers: readonly Candidate[], nowMs: number): Succession {
  const coming = new Set<string>();
  const going = new Set<string>();
  for (const sharing of Map.groupBy(containers, ({ number }) => number).values()) {
    const newest = sharing.toSorted((a, b) => b.createdAtMs - a.createdAtMs)[0];
    if (newest?.isReplacement !== true || nowMs - newest.createdAtMs > FRESH_MS) continue;
    coming.add(newest.id);
    for (const { id } of sharing) if (id !== newest.id) going.add(id);
  }
  return { coming, going };
}
