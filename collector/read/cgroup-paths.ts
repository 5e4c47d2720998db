import { join } from "node:path/posix";

/**
 * Where the files of a process's cgroups are: from the text of its `/proc/PID/cgroup` and of the reader's own
 * `/proc/self/mountinfo`. Paths are taken from there and never built: drivers, parents and nesting all change them.
 */

/** The directories of one cgroup; a controller that has none of its own there is absent. */
export interface CgroupDirectories {
  /** v1: `cpuacct.usage`. */
  readonly cpuacct?: string;
  /** v1: `cpu.stat`, the throttling. */
  readonly cpu?: string;
  /** v1: `memory.stat`. */
  readonly memory?: string;
  /** v1: what went to and from block devices. */
  readonly blkio?: string;
  /** v1: `pids.current`. */
  readonly pids?: string;
  /** v2. On a hybrid host it may lack the files of controllers that v1 holds. */
  readonly unified?: string;
}

const CONTROLLERS = [
  "cpuacct",
  "cpu",
  "memory",
  "blkio",
  "pids",
] as const satisfies (keyof CgroupDirectories)[];

/** Cuts a process's cgroup path back to the cgroup that is wanted; undefined when it is not in such a one. */
export type CgroupOwner = (cgroupPath: string) => string | undefined;

/** The container's own cgroup, when processes in it (an init system's) have made further ones below. */
export function containerCgroup(containerId: string): CgroupOwner {
  return (path) => {
    const segments = path.split("/");
    // Engines and cgroup drivers differ in what they put around the id; without it the pid is another's by now.
    const own = segments.findLastIndex((segment) => segment.includes(containerId));
    return own === -1 ? undefined : segments.slice(0, own + 1).join("/");
  };
}

/** The cgroup that the process engine makes: `…/flyball/<instance>/<replica>`. */
export const processEngineCgroup: CgroupOwner = (path) => {
  const segments = path.split("/");
  const marker = segments.lastIndexOf("flyball");
  return marker === -1 || segments.length < marker + 3 ? undefined : segments.slice(0, marker + 3).join("/");
};

/** The process's own cgroups as the reader can reach them. Lines that make no sense are passed over. */
export function cgroupDirectories(
  cgroupText: string,
  mounts: readonly CgroupMount[],
  owner: CgroupOwner,
): CgroupDirectories {
  const directories: { -readonly [Key in keyof CgroupDirectories]: CgroupDirectories[Key] } = {};
  for (const line of parseCgroupLines(cgroupText)) {
    const path = owner(line.path);
    if (path === undefined) continue;
    if (line.controllers.length === 0) {
      const directory = reachable(
        mounts.filter((mount) => mount.version === 2),
        path,
      );
      if (directory !== undefined) directories.unified = directory;
    }
    for (const controller of CONTROLLERS) {
      if (!line.controllers.includes(controller)) continue;
      const holders = mounts.filter((mount) => mount.version === 1 && mount.controllers.includes(controller));
      const directory = reachable(holders, path);
      if (directory !== undefined) directories[controller] = directory;
    }
  }
  return directories;
}

interface CgroupLine {
  /** Empty for the v2 line. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** `4:cpu,cpuacct:/docker/ID`; the v2 line is `0::/path`. A path may hold colons. */
function parseCgroupLines(text: string): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split("\n")) {
    const match = /^\d+:([^:]*):(\/.*)$/u.exec(line);
    if (match === null) continue;
    const [, controllers = "", path = ""] = match;
    lines.push({ controllers: controllers === "" ? [] : controllers.split(","), path });
  }
  return lines;
}

export interface CgroupMount {
  readonly version: 1 | 2;
  /** The cgroup that is seen at the mount point; not `/` for a bind mount or in a container. */
  readonly root: string;
  readonly mountPoint: string;
  readonly controllers: readonly string[];
}

/** From a mountinfo: `id parent major:minor root mountPoint options [optional…] - fsType source superOptions` */
export function parseCgroupMounts(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split("\n")) {
    const [front = "", back = ""] = line.split(" - ", 2);
    const [, , , root, mountPoint] = front.split(" ");
    const [fsType, , superOptions = ""] = back.split(" ");
    if (root === undefined || mountPoint === undefined) continue;
    if (fsType !== "cgroup" && fsType !== "cgroup2") continue;
    mounts.push({
      version: fsType === "cgroup" ? 1 : 2,
      root: unescapeOctal(root),
      mountPoint: unescapeOctal(mountPoint),
      controllers: superOptions.split(","),
    });
  }
  return mounts;
}

/** The kernel writes a space in a path as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/gu, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function reachable(mounts: readonly CgroupMount[], path: string): string | undefined {
  // `/../x`: outside the reader's cgroup namespace.
  if (path.split("/").includes("..")) return undefined;
  for (const mount of mounts) {
    if (mount.root === "/") return join(mount.mountPoint, path);
    if (path === mount.root || path.startsWith(`${mount.root}/`)) {
      return join(mount.mountPoint, path.slice(mount.root.length));
    }
  }
  return undefined;
}
