import type { Draft } from "./draft.ts";
import type { ReconcileInput } from "./input.ts";
import type { Ledger } from "./ledger.ts";
import type { Needs } from "./needs.ts";
import type { Seen } from "./seen.ts";

/** What every part of one planning works with. */
export interface Planning {
  readonly input: ReconcileInput;
  readonly seen: Seen;
  readonly draft: Draft;
  readonly needs: Needs;
  /** Absent: the host's capacity is not known, and everything fits. */
  readonly ledger: Ledger | undefined;
}
