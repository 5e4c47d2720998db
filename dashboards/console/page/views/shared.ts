import type { AlertView } from "../../../../core/wire-alerts.ts";
import type { Api } from "../link/api.ts";
import type { DaemonLink } from "../link/daemon-link.ts";
import type { World } from "../state/world.ts";

/** What every page is given. */
export interface Shared {
  readonly world: World;
  readonly api: Api;
  readonly link: DaemonLink;
  readonly firing: ReadonlyMap<string, readonly AlertView[]>;
  readonly nowMs: number;
}

export const NONE_FIRING: readonly AlertView[] = [];
