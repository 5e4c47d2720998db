import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path/posix";
import type { HostFilesystem } from "./host-measurement.ts";
import { type Mount, parseMounts } from "./host-text.ts";

/** Filesystems that hold nothing on a device, or show what another one holds. */
const PASSED_OVER =
  /^(?:autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fuse\..*|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs|tmpfs)$/u;
/** Mounts that container engines make. */
const PASSED_OVER_BELOW = /^\/(?:dev|proc|sys|var\/lib\/(?:docker|containers)\/.+)(?:\/|$)/u;
const LOOK_EVERY_MS = 30_000;

/**
 * Asks now and then how full the machine's filesystems are. Asked one after the other and in the thread pool: one that
 * hangs, as of a server that went away, holds up only the next look.
 */
export class HostFilesystems implements Disposable {
  readonly #root: string;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #found: readonly HostFilesystem[] = [];

  constructor(root: string) {
    this.#root = root;
    this.#timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
    void this.look();
  }

  /** As of the last look. */
  get found(): readonly HostFilesystem[] {
    return this.#found;
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const found: HostFilesystem[] = [];
    for (const mount of await this.#mounts()) {
      const use = await this.#useOf(mount);
      if (use !== undefined) found.push(use);
    }
    this.#found = found;
    this.#isLooking = false;
  }

  /** Each device once, where it was mounted first. */
  async #mounts(): Promise<Mount[]> {
    const text = await readFile(join(this.#root, "proc/1/mountinfo"), "utf8")
      .catch(() => readFile(join(this.#root, "proc/self/mountinfo"), "utf8"))
      .catch(() => "");
    const byDevice = new Map<string, Mount>();
    for (const mount of parseMounts(text)) {
      if (PASSED_OVER.test(mount.type) || PASSED_OVER_BELOW.test(mount.mountPoint)) continue;
      if (!byDevice.has(mount.numbers)) byDevice.set(mount.numbers, mount);
    }
    return [...byDevice.values()];
  }

  async #useOf({ mountPoint, device, type, isReadOnly }: Mount): Promise<HostFilesystem | undefined> {
    try {
      const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(join(this.#root, mountPoint));
      return {
        device,
        mountPoint,
        type,
        isReadOnly,
        sizeBytes: blocks * bsize,
        freeBytes: bfree * bsize,
        availableBytes: bavail * bsize,
        inodes: files,
        freeInodes: ffree,
      };
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
