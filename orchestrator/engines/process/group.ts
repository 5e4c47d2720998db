/** All processes of one replica, and signals that reach them and nobody else. */
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isSystemError } from "../../../core/errors.ts";
import type { ReplicaId } from "../../../core/types.ts";
import { VARIABLES } from "./identity.ts";
import {
  isAlive,
  listProcesses,
  type ProcessIdentity,
  type ProcessStat,
  readEnvironment,
  readStat,
} from "./proc.ts";

export interface Member {
  readonly pid: number;
  readonly startTicks: number;
}

export interface Group {
  readonly replica: ReplicaId;
  readonly leader: ProcessIdentity;
  /** Pids in the cgroup that only this replica has; empty without one. */
  readonly cgroupPids: () => readonly number[];
}

/**
 * Everything that belongs to the replica: what is in its cgroup, what carries its id in its environment, and what is
 * in the session of its leader. The session alone proves nothing once the leader is gone, since its number may have
 * been given again, except at the very moment of its end: `leaderJustEnded`.
 */
export function findMembers(group: Group, leaderJustEnded = false): Member[] {
  const inCgroup = new Set(group.cgroupPids());
  const sessionCounts = leaderJustEnded || isAlive(group.leader);
  return listProcesses().filter(
    (process) =>
      inCgroup.has(process.pid) ||
      (sessionCounts && process.session === group.leader.pid) ||
      // Nothing of a group is older than its leader, and an environment costs the most to read.
      (process.startTicks >= group.leader.startTicks &&
        readEnvironment(process.pid)?.[VARIABLES.replica] === group.replica),
  );
}

export function livingMembers(members: readonly Member[]): Member[] {
  return members.filter((member) => readStat(member.pid)?.startTicks === member.startTicks);
}

/** Signals the leader's whole process group. False when the leader is gone: its number may be a stranger's by now. */
export function signalGroup(leader: ProcessIdentity, signal: number): boolean {
  const stat = readStat(leader.pid);
  if (stat === undefined || !isAlive(leader)) return false;
  return send(leadsItsGroup(stat) ? -leader.pid : leader.pid, signal);
}

/** An orphan that was found by its environment need not be the first of its group. */
function leadsItsGroup(stat: ProcessStat): boolean {
  return stat.group === stat.pid;
}

export function signalMembers(members: readonly Member[], signal: number): void {
  for (const member of livingMembers(members)) send(member.pid, signal);
}

/** False when it is gone, or became a user whom we may not signal: then the others are to be reached all the same. */
function send(pid: number, signal: number): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isSystemError(error, "ESRCH") || isSystemError(error, "EPERM")) return false;
    throw error;
  }
}

/** The pause grows from round to round: most groups are gone after the first. */
const KILL_PAUSE_MS = 10;
const KILL_MAX_PAUSE_MS = 100;
/** Some five seconds in all. */
const KILL_ROUNDS = 55;

/**
 * SIGKILL to all, again and again until none is left: one may fork while another is killed.
 * @throws FlyballError ENGINE_REFUSED when some do not end (stuck in the kernel, or another user's)
 */
export async function killGroup(group: Group, known: readonly Member[] = []): Promise<void> {
  let left: Member[] = [];
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    left = [...findMembers(group), ...livingMembers(known)];
    if (left.length === 0) return;
    signalMembers(left, constants.signals.SIGKILL);
    await sleep(Math.min(KILL_PAUSE_MS * (round + 1), KILL_MAX_PAUSE_MS));
  }
  const pids = [...new Set(left.map((member) => member.pid))].join(", ");
  throw new FlyballError("ENGINE_REFUSED", `replica ${group.replica}: still there after SIGKILL: ${pids}`);
}

/** `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`; undefined when there is no such signal. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/u.test(text)) return inRange(Number(text));
  const name = text.toUpperCase().replace(/^(?:SIG)?/u, "SIG");
  const realtime = /^SIGRT(MIN\+|MAX-)(\d+)$/u.exec(name);
  if (realtime !== null) {
    const offset = Number(realtime[2]);
    return inRange(realtime[1] === "MIN+" ? FIRST_REALTIME + offset : LAST_SIGNAL - offset);
  }
  const found = Object.entries(constants.signals).find(([known]) => known === name);
  return found?.[1];
}

/** The first one that glibc leaves to programs. */
const FIRST_REALTIME = 34;
const LAST_SIGNAL = 64;

function inRange(signal: number): number | undefined {
  return signal >= 1 && signal <= LAST_SIGNAL ? signal : undefined;
}
