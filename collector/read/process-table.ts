import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { parseProcStat } from "./proc-stat.ts";

/** Every process is looked at again after so many looks: it may have changed its group, or be another by now. */
const FULL_LOOK_EVERY = 10;

interface Kin {
  readonly processGroup: number;
  readonly session: number;
}

/**
 * Which processes of the machine belong to which session and group. One look serves all targets of a round; only
 * processes not known from the look before are opened.
 */
export class ProcessTable {
  readonly #procRoot: string;
  #known = new Map<number, Kin>();
  #looks = 0;
  #stale = true;

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  /** A new round begins: the next question looks at the machine again. */
  invalidate(): void {
    this.#stale = true;
  }

  /** The pids of the session that `leader` leads, or of the process group. */
  members(leader: number, by: keyof Kin): number[] {
    if (this.#stale) this.#look();
    const pids: number[] = [];
    for (const [pid, kin] of this.#known) if (kin[by] === leader) pids.push(pid);
    return pids;
  }

  #look(): void {
    const full = this.#looks % FULL_LOOK_EVERY === 0;
    const known = new Map<number, Kin>();
    for (const name of readdirSync(this.#procRoot)) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const kin = (full ? undefined : this.#known.get(pid)) ?? this.#kinOf(pid);
      if (kin !== undefined) known.set(pid, kin);
    }
    this.#known = known;
    this.#looks += 1;
    this.#stale = false;
  }

  #kinOf(pid: number): Kin | undefined {
    try {
      const stat = parseProcStat(readFileSync(join(this.#procRoot, String(pid), "stat"), "latin1"));
      return stat && { processGroup: stat.processGroup, session: stat.session };
    } catch {
      // It ended since its name was listed.
      return undefined;
    }
  }
}
