import type { Running } from "./changes.ts";
import type { Snapshot } from "./readings.ts";
import type { TrafficTable } from "./table.ts";

/** How a table was reached. `reload`: services, addresses or routes are others now · `commands`: only servers are. */
export type Outcome = "start" | "reload" | "commands" | "none";

/** What was asked for could not be done; what ran goes on running. */
export class Refusal extends Error {}

/** Listens where a table says, leads what comes to the servers that it names, and counts it. */
export interface Balancer extends AsyncDisposable {
  /** For a person: `HAProxy`. */
  readonly name: string;
  readonly runs: boolean;

  /**
   * Starts it, or brings the one that runs to the table.
   *
   * @param mayReload false: only servers come and go
   * @throws Refusal when it does not take the table; servers that it knows the back-ends of come and go all the same
   */
  bring(table: TrafficTable, mayReload: boolean): Promise<Outcome>;

  /** What it has now. @throws when it does not answer */
  running(): Promise<Running>;

  /** The server gets nothing new from now on. @throws when it does not answer */
  close(backends: readonly string[], server: string): Promise<void>;

  /** Requests and connections that the server still has. @throws when it does not answer */
  open(backends: readonly string[], server: string): Promise<number>;

  /** @throws when it does not answer */
  snapshot(nowMs: number): Promise<Snapshot>;

  /** Nothing new is accepted; what is under way ends by itself. */
  stop(): Promise<void>;
}
