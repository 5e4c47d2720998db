import type { Compared } from "./cgroup-v2-report.ts";
import { withLock } from "./lock.ts";
import { unpackMachine } from "./machine-packages.ts";
import { runInMachine } from "./virtual-machine.ts";

/** Boots a machine with cgroup v2; what the collector's readers say there beside what its kernel says. */
export async function readUnderCgroupV2(directory: string, say: (line: string) => void): Promise<Compared[]> {
  const parts = await withLock(directory, say, () => unpackMachine(directory, say));
  return JSON.parse(await runInMachine(parts, "test/lab/cgroup-v2-guest.ts")) as Compared[];
}
