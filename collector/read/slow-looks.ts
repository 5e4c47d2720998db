import { lstat, readFile, statfs } from "node:fs/promises";
import { join } from "node:path/posix";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import type { ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Discovered } from "../discover/discovered.ts";
import { diskUseBytes } from "./disk-use.ts";
import type { Details, FilesystemUse, VolumeUse } from "./measurement.ts";
import { mountDevices } from "./mount-devices.ts";
import { lookAtProcesses } from "./processes-look.ts";

export interface SlowLooksOptions {
  /** Where the machine's files are: `/`, or where a host's are mounted. */
  readonly root: string;
  readonly clock: Clock;
  /** What is known now. */
  readonly containers: () => Iterable<Discovered>;
  readonly pidsOf: (id: ReplicaId) => readonly number[];
  /** Takes what was found. */
  readonly note: (id: ReplicaId, details: Details) => void;
}

/** From one look at a container to the next, at the least. */
const PROCESSES_EVERY_MS = 30 * SECOND_MS;
const DISK_EVERY_MS = 60 * SECOND_MS;
/** A container whose files take long to count is counted the more seldom. */
const DISK_REST_RATIO = 20;
/** What the looks may take of one CPU. */
const PROCESSES_DUTY_RATIO = 0.02;
const DISK_DUTY_RATIO = 0.1;
const SLICE_MS = 2;
const IDLE_MS = SECOND_MS;
/** Over which running threads are smoothed. */
const LOAD_WINDOW_MS = 10 * SECOND_MS;

interface Looked {
  dueMs: number;
  lastMs: number;
  runningThreads?: number;
}

/**
 * Finds out, in what time is left over, what is too dear for every sample: processes, open files and the use of disks.
 * One container at a time, each part with a share of a CPU that it never exceeds for long.
 */
export class SlowLooks implements AsyncDisposable {
  readonly #options: SlowLooksOptions;
  readonly #stop = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(options: SlowLooksOptions) {
    this.#options = options;
    this.#loops = [
      this.#loop((container, looked) => this.#lookAtProcesses(container, looked)),
      this.#loop((container, looked) => this.#lookAtDisk(container, looked)),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(look: (container: Discovered, looked: Looked) => Promise<void>): Promise<void> {
    const looked = new Map<ReplicaId, Looked>();
    while (!this.#stop.signal.aborted) {
      const next = this.#longestDue(looked);
      if (next === undefined) await this.#rest(IDLE_MS);
      else if (this.#isRead(next.container)) await look(next.container, next.looked);
      else next.looked.dueMs += IDLE_MS;
    }
  }

  /** Before its first sample, and after its last, there is nothing to add to. */
  #isRead({ id }: Discovered): boolean {
    return this.#options.pidsOf(id).length > 0;
  }

  /** Undefined when none is due. Forgets those that are not there any more. */
  #longestDue(looked: Map<ReplicaId, Looked>): { container: Discovered; looked: Looked } | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const known = new Map(Array.from(this.#options.containers(), (container) => [container.id, container]));
    for (const id of looked.keys()) if (!known.has(id)) looked.delete(id);
    let next: { container: Discovered; looked: Looked } | undefined;
    for (const [id, container] of known) {
      const entry = looked.get(id) ?? { dueMs: nowMs, lastMs: nowMs };
      looked.set(id, entry);
      if (entry.dueMs <= nowMs && (next === undefined || entry.dueMs < next.looked.dueMs)) {
        next = { container, looked: entry };
      }
    }
    return next;
  }

  async #lookAtProcesses({ id }: Discovered, looked: Looked): Promise<void> {
    const { clock, root, pidsOf, note } = this.#options;
    const fromMs = clock.monotonicMs();
    looked.dueMs = fromMs + PROCESSES_EVERY_MS;
    const steps = lookAtProcesses(join(root, "proc"), pidsOf(id));
    let sliceFromMs = fromMs;
    for (let step = steps.next(); ; step = steps.next()) {
      const tookMs = clock.monotonicMs() - sliceFromMs;
      if (step.done) {
        const runningThreads = smoothed(looked, step.value.tasks?.running ?? 0, fromMs);
        if ((step.value.processes ?? 0) > 0) note(id, { ...step.value, runningThreads });
      }
      if (step.done || tookMs >= SLICE_MS) {
        await this.#rest(tookMs / PROCESSES_DUTY_RATIO);
        sliceFromMs = clock.monotonicMs();
      }
      if (step.done || this.#stop.signal.aborted) return;
    }
  }

  async #lookAtDisk(container: Discovered, looked: Looked): Promise<void> {
    const { clock, note } = this.#options;
    const fromMs = clock.monotonicMs();
    const filesystem = await this.#filesystemOf(container);
    const volumes: VolumeUse[] = [];
    for (const { name, path, target } of container.volumes) {
      const usageBytes = await this.#countBytes(path);
      if (usageBytes !== undefined) volumes.push({ volume: name, target, usageBytes });
    }
    const tookMs = clock.monotonicMs() - fromMs;
    looked.dueMs = fromMs + Math.max(DISK_EVERY_MS, tookMs * DISK_REST_RATIO);
    if (this.#stop.signal.aborted) return;
    if (filesystem !== undefined || volumes.length > 0) {
      note(container.id, { filesystems: filesystem === undefined ? [] : [filesystem], volumes });
    }
    await this.#rest(1);
  }

  async #filesystemOf({ writableLayer }: Discovered): Promise<FilesystemUse | undefined> {
    if (writableLayer === undefined) return undefined;
    const path = join(this.#options.root, writableLayer);
    try {
      const [{ dev }, { bsize, blocks, files, ffree }] = [await lstat(path), await statfs(path)];
      const mounts = await readFile(join(this.#options.root, "proc/self/mountinfo"), "utf8").catch(() => "");
      return {
        device: mountDevices(mounts).get(deviceNumbers(dev)) ?? deviceNumbers(dev),
        usageBytes: await this.#countBytes(writableLayer),
        sizeBytes: blocks * bsize,
        inodes: files,
        freeInodes: ffree,
      };
    } catch {
      // It was removed, or may not be looked at.
      return undefined;
    }
  }

  #countBytes(path: string): Promise<number | undefined> {
    const { root, clock } = this.#options;
    let fromMs = clock.monotonicMs();
    const pause = async (): Promise<void> => {
      const tookMs = clock.monotonicMs() - fromMs;
      if (tookMs < SLICE_MS) return;
      await this.#rest(tookMs / DISK_DUTY_RATIO);
      fromMs = clock.monotonicMs();
    };
    return diskUseBytes(join(root, path), pause, this.#stop.signal);
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {});
  }
}

/** The mean with what was before, which counts the less the longer ago it was. */
function smoothed(looked: Looked, running: number, nowMs: number): number {
  const kept = looked.runningThreads === undefined ? 0 : Math.exp((looked.lastMs - nowMs) / LOAD_WINDOW_MS);
  looked.runningThreads = (looked.runningThreads ?? 0) * kept + running * (1 - kept);
  looked.lastMs = nowMs;
  return looked.runningThreads;
}

/** `254:0` of the number that `stat` gives, in the kernel's own encoding. */
export function deviceNumbers(device: number): string {
  const number = BigInt(device);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
