import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isSystemError } from "../../core/errors.ts";
import { mustRun } from "../lab/command.ts";

const BALLAST = "ballast";
const LARGEST_BYTES = 1 << 20;

/** Puts a disk of that size over the directory. Needs root; whoever asks for it unmounts it. */
export async function mountSmallDisk(directory: string, sizeKib: number): Promise<void> {
  await mustRun("mount", ["-t", "tmpfs", "-o", `size=${sizeKib}k,mode=700`, "tmpfs", directory]);
}

/** Takes every byte that is left. */
export function fillDisk(directory: string): void {
  const path = join(directory, BALLAST);
  for (let bytes = LARGEST_BYTES; bytes >= 1; bytes >>= 1) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch (error) {
      if (!isSystemError(error, "ENOSPC")) throw error;
    }
  }
}

export function makeRoom(directory: string): void {
  rmSync(join(directory, BALLAST), { force: true });
}
