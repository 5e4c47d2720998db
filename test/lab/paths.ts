import { join } from "node:path";

/** Where one engine of the lab keeps its parts. */
export interface EnginePaths {
  readonly root: string;
  readonly socket: string;
  readonly containerdSocket: string;
  readonly dockerdConfig: string;
  readonly containerdConfig: string;
  readonly pidFile: string;
  readonly dockerdLog: string;
  readonly containerdLog: string;
  readonly data: string;
  readonly run: string;
}

/** A Unix socket's path may have 107 bytes; dockerd's own, as `20.10/run/docker/libnetwork/<id>.sock`, need 47 of them. */
const LONGEST_DIRECTORY = 60;

/** The lab's directory: `FLYBALL_LAB_DIR`, else `/var/tmp/flyball-lab`. Throws when sockets in it could not be opened. */
export function labDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const directory = env["FLYBALL_LAB_DIR"] || "/var/tmp/flyball-lab";
  if (!directory.startsWith("/"))
    throw new Error(`FLYBALL_LAB_DIR must be an absolute path, got "${directory}"`);
  if (directory.length > LONGEST_DIRECTORY) {
    throw new Error(
      `FLYBALL_LAB_DIR must have at most ${LONGEST_DIRECTORY} characters (Unix sockets live in it), got ${directory.length}: "${directory}"`,
    );
  }
  return directory;
}

/** The folder that holds the newer suite's engine and compose plugin, unpacked. */
export function unpackedRoot(directory: string): string {
  return join(directory, "packages", "26.1");
}

/** The folder that holds the newer suite's Prometheus, unpacked. */
export function newerPrometheusRoot(directory: string): string {
  return join(directory, "packages", "prometheus-2.53");
}

/** The folder that holds the newer suite's HAProxy, with the C library that it needs, unpacked. */
export function newerHaproxyRoot(directory: string): string {
  return join(directory, "packages", "haproxy-3.0");
}

/** The folder that holds what a virtual machine is run with, unpacked. */
export function virtualMachineRoot(directory: string): string {
  return join(directory, "packages", "virtual-machine");
}

export function composePlugin(directory: string): string {
  return join(unpackedRoot(directory), "usr/libexec/docker/cli-plugins/docker-compose");
}

export function enginePaths(directory: string, engine: string): EnginePaths {
  const root = join(directory, engine);
  return {
    root,
    socket: join(root, "docker.sock"),
    containerdSocket: join(root, "containerd.sock"),
    dockerdConfig: join(root, "daemon.json"),
    containerdConfig: join(root, "containerd.toml"),
    pidFile: join(root, "dockerd.pid"),
    dockerdLog: join(root, "dockerd.log"),
    containerdLog: join(root, "containerd.log"),
    data: join(root, "data"),
    run: join(root, "run"),
  };
}
