import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./command.ts";
import type { EnginePaths } from "./paths.ts";
import { stop, withArgument } from "./processes.ts";

/** Ends the containers and shims that a dead engine left behind, with their cgroups, and takes its mounts away. */
export async function endLeftovers(paths: EnginePaths): Promise<void> {
  const containers = join(paths.run, "docker/runtime-runc/moby");
  for (const id of existsSync(containers) ? readdirSync(containers) : []) {
    await mustRun("/usr/sbin/runc", ["--root", containers, "delete", "--force", id]);
  }
  // A shim names its containerd's socket among its arguments, and that socket is this engine's own.
  for (const shim of withArgument(paths.containerdSocket)) await stop(shim, 1_000);
  const mounts = mountsBelow(paths.root, readFileSync("/proc/self/mountinfo", "utf8"));
  for (const mount of mounts) await mustRun("umount", ["--lazy", mount]);
}

/** Mount points below a folder, those mounted last first. Reads the text of `/proc/self/mountinfo`. */
export function mountsBelow(folder: string, mountInfo: string): string[] {
  return mountInfo
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}
