import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { callApi, readVersion } from "./api.ts";
import { createBridge, networkPlan, removeBridges } from "./bridges.ts";
import { acceptBetweenContainers, forgetContainers } from "./firewall.ts";
import { endLeftovers } from "./leftovers.ts";
import { composePlugin, type EnginePaths, enginePaths, unpackedRoot } from "./paths.ts";
import { isRunning, type ProcessIdentity, startDetached, stop } from "./processes.ts";
import { type EngineState, forgetEngine, readState, saveEngine } from "./state.ts";

export const ENGINE_NAMES = ["20.10", "26.1"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

const MACHINE_PATH = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const READY_WITHIN_MS = 60_000;

/** Makes the engine answer: keeps it when it does, else clears what is left of it and starts it. */
export async function startEngine(
  directory: string,
  name: EngineName,
  say: (line: string) => void,
): Promise<EngineState> {
  const before = readState(directory).find((engine) => engine.name === name);
  if (before !== undefined) {
    if (await isHealthy(before)) {
      await acceptBetweenContainers(before.octet);
      return before;
    }
    say(`engine ${name} is not whole; clearing what it left`);
    await endEngine(directory, before);
  }
  say(`starting engine ${name}`);
  const paths = enginePaths(directory, name);
  for (const folder of [paths.data, paths.run]) mkdirSync(folder, { recursive: true });
  let state: EngineState = {
    name,
    socketPath: paths.socket,
    composePlugin: composePlugin(directory),
    // The networks in its data are of the range it had.
    ...(await createBridge(before && [before.octet])),
  };
  // Saved at every step, so that `down` can undo an `up` that failed half-way.
  const save = (change: Partial<EngineState>) => {
    state = { ...state, ...change };
    saveEngine(directory, state);
  };
  save({});
  await acceptBetweenContainers(state.octet);

  const folders = programFolders(directory, name);
  const env = { PATH: folders.join(":"), HOME: paths.root };
  writeFileSync(paths.containerdConfig, containerdConfig(paths));
  const containerd = await startDetached(
    program("containerd", folders),
    ["--config", paths.containerdConfig],
    {
      env,
      logFile: paths.containerdLog,
    },
  );
  save({ containerd });
  await until(async () => existsSync(paths.containerdSocket), containerd, "containerd", paths.containerdLog);

  return await startDockerd(directory, state);
}

/** Starts the engine's dockerd on what is there; its containerd runs already. */
export async function startDockerd(directory: string, before: EngineState): Promise<EngineState> {
  const paths = enginePaths(directory, before.name);
  const folders = programFolders(directory, before.name);
  writeFileSync(paths.dockerdConfig, `${JSON.stringify(dockerdConfig(paths, before), null, 2)}\n`);
  const dockerd = await startDetached(program("dockerd", folders), ["--config-file", paths.dockerdConfig], {
    env: { PATH: folders.join(":"), HOME: paths.root },
    logFile: paths.dockerdLog,
  });
  saveEngine(directory, { ...before, dockerd });
  const version = await until(() => readVersion(paths.socket), dockerd, "dockerd", paths.dockerdLog);
  const state = { ...before, dockerd, ...version };
  saveEngine(directory, state);
  return state;
}

/** Both of its processes run, and it answers: dockerd answers even when its containerd is gone. */
export async function isHealthy({ dockerd, containerd, socketPath }: EngineState): Promise<boolean> {
  const processes = [dockerd, containerd];
  const allRun = processes.every((process) => process !== undefined && isRunning(process));
  return allRun && (await readVersion(socketPath)) !== undefined;
}

/** Ends the engine with everything in it and forgets its containers, networks, volumes and images. */
export async function stopEngine(directory: string, engine: EngineState): Promise<void> {
  await emptyEngine(engine);
  await endEngine(directory, engine);
  rmSync(enginePaths(directory, engine.name).root, { recursive: true, force: true });
  forgetEngine(directory, engine.name);
}

/** Ends the engine's processes and takes its mounts and bridges away; its data stays. */
async function endEngine(directory: string, engine: EngineState): Promise<void> {
  const paths = enginePaths(directory, engine.name);
  const { dockerd, containerd } = engine;
  // Without its containerd, dockerd cannot end its containers and only waits for them.
  const canEndContainers = containerd !== undefined && isRunning(containerd);
  if (dockerd !== undefined) await stop(dockerd, canEndContainers ? 20_000 : 1_000);
  if (containerd !== undefined) await stop(containerd, 10_000);
  await endLeftovers(paths);
  await removeBridges(engine.octet);
  await forgetContainers(engine.octet);
  // A socket or pid file of a dead engine would look like a live one.
  for (const file of [paths.socket, paths.containerdSocket, paths.pidFile, paths.run]) {
    rmSync(file, { recursive: true, force: true });
  }
}

/** Force-removes containers over the API: left to dockerd's own stop, each could take its whole grace period. */
async function emptyEngine(engine: EngineState): Promise<void> {
  if ((await readVersion(engine.socketPath)) === undefined) return;
  const longMs = { timeoutMs: 30_000 };
  await callApi(engine.socketPath, "POST", "/swarm/leave?force=true", longMs);
  const { body } = await callApi(engine.socketPath, "GET", "/containers/json?all=true", longMs);
  const containers = JSON.parse(body) as { Id: string }[];
  await Promise.all(
    containers.map(({ Id }) =>
      callApi(engine.socketPath, "DELETE", `/containers/${Id}?force=true&v=true`, longMs),
    ),
  );
  await callApi(engine.socketPath, "POST", "/networks/prune", longMs);
}

/** The unpacked engine brings no runc, so the machine's own is the first on its PATH. */
function programFolders(directory: string, name: string): string[] {
  if (name === "20.10") return MACHINE_PATH;
  const unpacked = ["usr/sbin", "usr/bin"].map((folder) => join(unpackedRoot(directory), folder));
  return [...unpacked, ...MACHINE_PATH];
}

function program(name: string, folders: readonly string[]): string {
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${name} in ${folders.join(", ")}`);
  return found;
}

function containerdConfig(paths: EnginePaths): string {
  return `version = 2
root = "${join(paths.data, "containerd")}"
state = "${join(paths.run, "containerd")}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[grpc]
address = "${paths.containerdSocket}"

[plugins."io.containerd.internal.v1.opt"]
path = "${join(paths.data, "opt")}"
`;
}

function dockerdConfig(paths: EnginePaths, state: EngineState): Record<string, unknown> {
  return {
    hosts: [`unix://${paths.socket}`],
    "data-root": join(paths.data, "docker"),
    "exec-root": join(paths.run, "docker"),
    pidfile: paths.pidFile,
    containerd: paths.containerdSocket,
    bridge: state.bridge,
    "default-address-pools": [{ base: networkPlan(state.octet).pool, size: 24 }],
    // Every dockerd takes the same iptables chains for itself and would undo another's. Without them published
    // ports go through docker-proxy, and containers of one network see each other through its bridge.
    iptables: false,
    ip6tables: false,
    "ip-forward": false,
    // Else 20.10 leaves a key in /etc/docker; the newer engine does not know the word.
    ...(state.name === "20.10" ? { "deprecated-key-path": join(paths.data, "key.json") } : {}),
  };
}

async function until<T>(
  probe: () => Promise<T>,
  process: ProcessIdentity,
  name: string,
  logFile: string,
): Promise<NonNullable<T>> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (!isRunning(process)) throw new Error(`${name} ended while it started; see ${logFile}`);
    if (performance.now() > deadlineMs) {
      throw new Error(`${name} does not answer after ${READY_WITHIN_MS / 1000} s; see ${logFile}`);
    }
    await sleep(100);
  }
}
