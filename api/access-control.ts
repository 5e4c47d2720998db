import type { Tokens } from "./access/tokens.ts";
import type { Writes } from "./access/writes.ts";

/** Who may ask, and what was asked. */
export interface AccessControl {
  readonly tokens: Pick<Tokens, "create" | "list" | "revoke" | "find" | "areThere">;
  readonly writes: Pick<Writes, "add" | "list">;
}
