import type { Draft } from "./draft.ts";
import type { ReconcileInput } from "./input.ts";
import type { Needs } from "./needs.ts";
import type { Seen } from "./seen.ts";

/** What every part of one planning works with. */
export interface Planning {
  readonly input: ReconcileInput;
  readonly seen: Seen;
  readonly draft: Draft;
  readonly needs: Needs;
}
