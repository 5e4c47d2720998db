import { mkdirSync } from "node:fs";
import type { FlyballHouse } from "../integration/flyball-daemon.ts";
import { mountSmallDisk } from "../integration/small-disk.ts";
import { mustRun } from "../lab/command.ts";
import { enginePaths } from "../lab/paths.ts";
import { Arena } from "./arena.ts";
import { cutPoints } from "./cut.ts";
import { diskPoints } from "./disk.ts";
import type { Releases } from "./ground.ts";
import { handsPoints } from "./hands.ts";
import { killPoints } from "./kill.ts";
import type { ChaosOptions, Disturbance, GroundName } from "./options.ts";
import { OwnEngine } from "./own-engine.ts";
import { seeded } from "./random.ts";
import { restartPoints } from "./restart.ts";
import type { Stage } from "./stage.ts";
import { Tally } from "./tally.ts";

/** For one kill so many of the others: some of them take long. */
const SHARES: Readonly<Record<Disturbance, number>> = {
  kill: 1,
  socket: 0.3,
  hands: 0.3,
  engine: 0.1,
  disk: 0.1,
};
const END_LIMIT_MS = 120_000;
const ENGINE_DISK_KIB = 128 * 1_024;
const DATA_DISK_KIB = 16 * 1_024;

/** One disturbance on one engine, from nothing to nothing; undefined where it makes no sense. @returns a line for people */
export async function disturb(
  disturbance: Disturbance,
  name: GroundName,
  { seed, points, engines, isVerbose }: ChaosOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (name === "process" && (disturbance === "engine" || disturbance === "socket")) return undefined;
  await using stack = new AsyncDisposableStack();
  const releases: Releases = { after: (release) => stack.defer(async () => void (await release())) };
  const onSmallDisk = disturbance === "disk" ? smallEngineDisk : undefined;
  const engine = name === "process" ? undefined : stack.use(await OwnEngine.start(name, onSmallDisk));
  const ground = {
    ...(engine?.ground ?? { name, isOwn: true }),
    engineDies: disturbance === "engine" || disturbance === "disk",
  };
  const arena = await Arena.open(releases, ground, signal);
  const stage = {
    arena,
    random: seeded(seed + engines.indexOf(name)),
    points: Math.ceil((points * SHARES[disturbance]) / engines.length),
    tally: new Tally(disturbance, name, isVerbose ? (line) => process.stdout.write(`${line}\n`) : undefined),
  };
  if (disturbance === "disk") await putOnSmallDisk(arena.house);
  await arena.serve();
  await disturbOn(stage, disturbance, engine);
  if (arena.volumesLost > 0)
    stage.tally.count("volumes that the engine lost, known to flyball gc", arena.volumesLost);
  return stage.tally.line(await arena.close(END_LIMIT_MS));
}

async function disturbOn(
  stage: Stage,
  disturbance: Disturbance,
  engine: OwnEngine | undefined,
): Promise<void> {
  switch (disturbance) {
    case "kill":
      return await killPoints(stage);
    case "socket":
      return await cutPoints(stage);
    case "hands":
      return await handsPoints(stage);
    case "engine":
      if (engine !== undefined) await restartPoints(stage, engine);
      return;
    case "disk": {
      const { house } = stage.arena;
      const engineDisk = engine === undefined ? [] : [enginePaths(engine.directory, engine.name).data];
      return await diskPoints(stage, [house.dataDirectory, ...engineDisk]);
    }
  }
}

async function putOnSmallDisk(house: FlyballHouse): Promise<void> {
  mkdirSync(house.dataDirectory, { mode: 0o700 });
  await mountSmallDisk(house.dataDirectory, DATA_DISK_KIB);
  house.defer(() => mustRun("umount", [house.dataDirectory]));
}

async function smallEngineDisk(directory: string, name: GroundName): Promise<void> {
  const { data } = enginePaths(directory, name);
  mkdirSync(data, { recursive: true });
  await mountSmallDisk(data, ENGINE_DISK_KIB);
}
