import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/** As `stat` and `du` count: what `st_blocks` is in, whatever the filesystem's own blocks are. */
const BLOCK_BYTES = 512;

/** More entries than this are not counted to the end. */
const MAX_ENTRIES = 1_000_000;

/**
 * The bytes that a directory takes on its filesystem, as `du -x` says: files with several names count once, what is
 * mounted below does not. Undefined when it cannot be read or has too many entries. `pause` is awaited after each
 * entry; all of it runs in the thread pool, so that a filesystem that hangs holds up nothing else.
 */
export async function diskUseBytes(
  root: string,
  pause: () => Promise<void>,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const { dev } = await lstat(root);
    const seen = new Set<number>();
    const directories = [root];
    let entries = 0;
    let blocks = 0;
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      for await (const entry of await opendir(directory)) {
        if (signal.aborted) return undefined;
        entries += 1;
        if (entries > MAX_ENTRIES) return undefined;
        const path = join(directory, entry.name);
        const found = await lstat(path).catch(() => undefined);
        await pause();
        // Removed since it was listed, or of another filesystem.
        if (found === undefined || found.dev !== dev) continue;
        if (found.isDirectory()) directories.push(path);
        else if (found.nlink > 1) {
          if (seen.has(found.ino)) continue;
          seen.add(found.ino);
        }
        blocks += found.blocks;
      }
    }
    return blocks * BLOCK_BYTES;
  } catch {
    return undefined;
  }
}
