import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface RefusedCase {
  readonly name: string;
  readonly compose: string;
  /** As Flyball words them. */
  readonly problems: readonly string[];
}

/** Compose files that both docker compose and Flyball refuse. */
export const REFUSED: readonly RefusedCase[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "refused.json"), "utf8"),
);
