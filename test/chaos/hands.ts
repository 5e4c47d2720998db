import { setTimeout as sleep } from "node:timers/promises";
import { isFlyballError, isSystemError } from "../../core/errors.ts";
import { runCommand } from "../lab/command.ts";
import { dockerHostFor } from "../lab/engines.ts";
import type { Arena } from "./arena.ts";
import type { Random } from "./random.ts";
import { disturbPlans, type Stage, TAKES_MS } from "./stage.ts";

const LIMIT_MS = 120_000;
const LONGEST_PAUSE_MS = 1_500;
const STOPPED_MS = 700;
const HEARD_WITHIN_MS = 10_000;
const ASK_EVERY_MS = 20;

/** What a person does to one container. Volumes go with it, so that what is left behind is Flyball's doing. */
const BY_HAND = [
  ["rm", "--force", "--volumes"],
  ["rm", "--force", "--volumes"],
  ["stop", "--time", "2"],
  ["pause"],
  ["pause"],
  ["kill"],
  ["restart", "--time", "2"],
] as const;

const BUT_STOP = [["rm", "--force", "--volumes"], ["pause"], ["kill"], ["restart", "--time", "2"]] as const;

/** And to one process. */
const SIGNALS = ["SIGKILL", "SIGTERM", "SIGSTOP"] as const;

/** Removes, stops, kills and pauses replicas past the daemon. */
export async function handsPoints(stage: Stage): Promise<void> {
  const { arena, random, tally } = stage;
  await disturbPlans(stage, LIMIT_MS, async (plan) => {
    const done: string[] = [];
    for (let acts = random.between(1, 3); acts > 0; acts -= 1) {
      await sleep(random.between(0, TAKES_MS[plan.kind]));
      const name = random.next() < 0.9 ? "web" : "db";
      const seen = await arena.house.seen(name);
      // Nobody tells of a process who ended it: a new one that ends counts against its version, and rightly.
      const isNew = (version?: string) => plan.kind === "update" && version === String(plan.to.version);
      const fair = seen.filter(({ version }) => arena.ground.lab !== undefined || !isNew(version));
      const victim = fair[random.between(0, Math.max(0, fair.length - 1))];
      if (victim === undefined) continue;
      const act = await (arena.ground.lab === undefined
        ? signal(arena, random.pick(SIGNALS), name, victim.id)
        : command(arena, random, name, victim.id));
      tally.count(act);
      done.push(`${act} of ${victim.slot}`);
    }
    return done.join(", ") || "nothing was there to touch";
  });
}

async function command(arena: Arena, random: Random, name: string, container: string): Promise<string> {
  const { ground } = arena;
  // What a person stops of a service without rules is meant to stay so.
  const words = random.pick(name === "web" ? BY_HAND : BUT_STOP);
  const docker = async (...args: readonly string[]): Promise<void> => {
    if (ground.lab === undefined) return;
    // It may be gone by now: a person would shrug as well.
    await runCommand("docker", ["--host", dockerHostFor(ground.lab), ...args]);
  };
  const pid = await pidOf(arena, name, container);
  await docker(...words, container);
  if (words[0] === "pause") {
    await sleep(random.between(0, LONGEST_PAUSE_MS));
    await docker("unpause", container);
  }
  if (words[0] === "kill") await untilHeard(arena, name, container, pid);
  return words[0];
}

async function signal(
  arena: Arena,
  name: (typeof SIGNALS)[number],
  service: string,
  replica: string,
): Promise<string> {
  const pid = await pidOf(arena, service, replica);
  if (pid === undefined) return "miss";
  send(pid, name);
  if (name === "SIGSTOP") {
    await sleep(STOPPED_MS);
    send(pid, "SIGCONT");
  } else await untilHeard(arena, service, replica, pid);
  return name;
}

/** Absent: it does not run, as far as the daemon knows. */
async function pidOf({ house }: Arena, service: string, replica: string): Promise<number | undefined> {
  try {
    const { replicaList } = await house.client.service(house.serviceId(service));
    const found = replicaList.find(({ id }) => id === replica);
    return found?.state === "running" ? found.pid : undefined;
  } catch (error) {
    if (isFlyballError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** Who was told to end may take a moment, and so may whoever hears of it: until then all looks as it should. */
async function untilHeard(arena: Arena, service: string, replica: string, pid?: number): Promise<void> {
  const deadlineMs = performance.now() + HEARD_WITHIN_MS;
  while (pid !== undefined && performance.now() < deadlineMs) {
    if ((await pidOf(arena, service, replica)) !== pid) return;
    await sleep(ASK_EVERY_MS);
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!isSystemError(error, "ESRCH")) throw error;
  }
}
