/** One cgroup per replica, so that its limits hold and its whole group can be measured and found. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isSystemError, messageOf } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import {
  type CgroupVersion,
  CONTROLLERS,
  type Controller,
  type Limits,
  limitWrites,
  OOM_FILE,
  parseOomKills,
} from "./cgroup-limits.ts";

export const DEFAULT_CGROUP_ROOT = "/sys/fs/cgroup";

/** A tree of the kernel's, and the controllers it carries. */
interface Hierarchy {
  readonly root: string;
  readonly controllers: readonly Controller[];
}

/**
 * The replicas' cgroups are at the top, `flyball/INSTANCE/REPLICA`, and not below the daemon's own: a service manager
 * that ends the daemon ends everything below it, and replicas outlive the daemon.
 */
export class Cgroups {
  readonly #version: CgroupVersion;
  readonly #hierarchies: readonly Hierarchy[];
  readonly #instance: string;
  /** Why a controller cannot be used; one that is not here can. */
  readonly #problems = new Map<Controller, string>();

  constructor(root: string | null, instanceId: string) {
    const found = root === null ? { version: 2 as const, hierarchies: [] } : findHierarchies(root);
    this.#version = found.version;
    this.#instance = join("flyball", instanceId.replaceAll(/[^\w.-]/gu, "-"));
    const available = found.hierarchies.flatMap((hierarchy) => hierarchy.controllers);
    for (const controller of CONTROLLERS) {
      if (available.includes(controller)) continue;
      this.#problems.set(
        controller,
        root === null ? "cgroups are switched off" : `no ${controller} controller under ${root}`,
      );
    }
    this.#hierarchies = found.hierarchies.filter((hierarchy) => this.#prepare(hierarchy));
  }

  /** Which of these limits will not hold here, and why: `cpu limit: no writable cgroup …`. */
  notEnforced(limits: Limits): string[] {
    return limitWrites(this.#version, limits).flatMap(({ name, controller }) => {
      const problem = this.#problems.get(controller);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
  }

  /** Makes the replica's cgroup, anew so that its counters start with the run. Says which limits it could not set. */
  async create(replica: ReplicaId, limits: Limits): Promise<string[]> {
    await this.remove(replica);
    const problems = new Map(this.#problems);
    for (const hierarchy of this.#hierarchies) {
      try {
        this.#prepare(hierarchy);
        mkdirSync(this.#path(hierarchy, replica), { recursive: true });
      } catch (error) {
        for (const controller of hierarchy.controllers) problems.set(controller, messageOf(error));
      }
    }
    return limitWrites(this.#version, limits).flatMap(({ name, controller, writes }) => {
      const problem = problems.get(controller) ?? this.#write(replica, controller, writes);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
  }

  /** Moves a process there, before it forks. Says which limits do not hold for it because it could not be moved. */
  join(replica: ReplicaId, pid: number, limits: Limits): string[] {
    const failed = new Map<Controller, string>();
    for (const hierarchy of this.#existing(replica)) {
      try {
        writeFileSync(join(this.#path(hierarchy, replica), "cgroup.procs"), String(pid));
      } catch (error) {
        for (const controller of hierarchy.controllers) failed.set(controller, messageOf(error));
      }
    }
    return limitWrites(this.#version, limits).flatMap(({ name, controller }) => {
      const problem = failed.get(controller);
      return problem === undefined ? [] : [`${name}: ${problem}`];
    });
  }

  pids(replica: ReplicaId): number[] {
    const [hierarchy] = this.#existing(replica);
    if (hierarchy === undefined) return [];
    return pidsBelow(this.#path(hierarchy, replica));
  }

  /** Undefined when there is no telling. */
  oomKilled(replica: ReplicaId): boolean | undefined {
    const hierarchy = this.#carrying("memory");
    if (hierarchy === undefined) return undefined;
    const text = readOr(join(this.#path(hierarchy, replica), OOM_FILE[this.#version]));
    const kills = text === undefined ? undefined : parseOomKills(text);
    return kills === undefined ? undefined : kills > 0;
  }

  async remove(replica: ReplicaId): Promise<void> {
    for (const hierarchy of this.#hierarchies) await removeDirectory(this.#path(hierarchy, replica));
  }

  /** Removes the cgroups of replicas that are no more. One that still has processes stays: they will be found. */
  async sweep(keep: ReadonlySet<ReplicaId>): Promise<void> {
    for (const hierarchy of this.#hierarchies) {
      const top = join(hierarchy.root, this.#instance);
      for (const path of directoriesIn(top)) {
        if (!keep.has(basename(path))) await removeTree(path).catch(() => undefined);
      }
    }
  }

  /** Takes the directories above the replicas away when nothing is left in them. */
  async close(): Promise<void> {
    for (const { root } of this.#hierarchies) {
      await rmdir(join(root, this.#instance)).catch(() => undefined);
      await rmdir(join(root, "flyball")).catch(() => undefined);
    }
  }

  #path(hierarchy: Hierarchy, replica: ReplicaId): string {
    return join(hierarchy.root, this.#instance, replica);
  }

  #existing(replica: ReplicaId): Hierarchy[] {
    return this.#hierarchies.filter((hierarchy) => existsSync(this.#path(hierarchy, replica)));
  }

  #carrying(controller: Controller): Hierarchy | undefined {
    return this.#hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller));
  }

  /** Makes the instance's directory; false, with the reason kept, where that is not allowed. */
  #prepare(hierarchy: Hierarchy): boolean {
    const top = join(hierarchy.root, this.#instance);
    try {
      mkdirSync(top, { recursive: true });
    } catch (error) {
      const reason =
        isSystemError(error, "EACCES") || isSystemError(error, "EROFS") ? "" : `: ${messageOf(error)}`;
      for (const controller of hierarchy.controllers) {
        this.#problems.set(controller, `no writable cgroup at ${hierarchy.root}${reason}`);
      }
      return false;
    }
    if (this.#version === 2) this.#delegate(hierarchy);
    return true;
  }

  /** Version 2 hands a controller down level by level, and refuses each one for its own reasons. */
  #delegate(hierarchy: Hierarchy): void {
    const levels = [hierarchy.root, join(hierarchy.root, "flyball"), join(hierarchy.root, this.#instance)];
    for (const controller of hierarchy.controllers) {
      if (controller === "cpuacct") continue;
      try {
        for (const level of levels) {
          const file = join(level, "cgroup.subtree_control");
          if (!(readOr(file) ?? "").split(/\s+/u).includes(controller)) writeFileSync(file, `+${controller}`);
        }
      } catch (error) {
        this.#problems.set(
          controller,
          `the ${controller} controller cannot be handed down: ${messageOf(error)}`,
        );
      }
    }
  }

  #write(
    replica: ReplicaId,
    controller: Controller,
    writes: readonly (readonly [string, string])[],
  ): string | undefined {
    const hierarchy = this.#carrying(controller);
    if (hierarchy === undefined) return `no ${controller} controller`;
    try {
      for (const [file, text] of writes) writeFileSync(join(this.#path(hierarchy, replica), file), text);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }
}

/** Version 2 has one tree with a list of controllers at its top, version 1 a tree per controller or pair of them. */
export function findHierarchies(root: string): {
  readonly version: CgroupVersion;
  readonly hierarchies: readonly Hierarchy[];
} {
  const unified = readOr(join(root, "cgroup.controllers"));
  if (unified !== undefined) {
    const names = new Set(unified.trim().split(/\s+/u));
    // CPU time is counted by the tree itself there.
    const controllers = CONTROLLERS.filter((name) => name === "cpuacct" || names.has(name));
    return { version: 2, hierarchies: [{ root, controllers }] };
  }
  const byRoot = new Map<string, Controller[]>();
  for (const controller of CONTROLLERS) {
    const path = join(root, controller);
    if (!existsSync(join(path, "cgroup.procs"))) continue;
    // `cpu` and `cpuacct` are often two links to one tree.
    const real = realpathSync(path);
    byRoot.set(real, [...(byRoot.get(real) ?? []), controller]);
  }
  return { version: 1, hierarchies: [...byRoot].map(([path, controllers]) => ({ root: path, controllers })) };
}

const REMOVE_PAUSE_MS = 10;
const REMOVE_ROUNDS = 50;

/** A cgroup is busy for a moment after its last process has ended. */
async function removeDirectory(path: string): Promise<void> {
  for (let round = 1; existsSync(path); round += 1) {
    try {
      await removeTree(path);
      return;
    } catch (error) {
      if (round === REMOVE_ROUNDS) {
        throw new FlyballError("ENGINE_REFUSED", `cgroup ${path} cannot be removed: ${messageOf(error)}`, {
          cause: error,
        });
      }
    }
    await sleep(REMOVE_PAUSE_MS);
  }
}

/** With what the replica made below its own: from the bottom up, since the files in a cgroup cannot be deleted. */
async function removeTree(path: string): Promise<void> {
  for (const child of directoriesIn(path)) await removeTree(child);
  await rmdir(path);
}

function pidsBelow(path: string): number[] {
  const own = (readOr(join(path, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);
  return [...own, ...directoriesIn(path).flatMap(pidsBelow)];
}

/** Empty when it has just gone. */
function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []));
  } catch {
    return [];
  }
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
