import { lstat, statfs } from "node:fs/promises";
import { join } from "node:path/posix";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../core/clock.ts";
import type { ReplicaId } from "../../core/types.ts";
import { SECOND_MS } from "../../core/units.ts";
import type { Discovered } from "../discover/discovered.ts";
import { diskUseBytes } from "./disk-use.ts";
import type { Details, FilesystemUse, VolumeUse } from "./measurement.ts";
import { MountDevices } from "./mount-devices.ts";
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

type Look = (container: Discovered, looked: Looked, pids: readonly number[]) => Promise<void>;

/**
 * Finds out, in what time is left over, what is too dear for every sample: processes, open files and the use of disks.
 * One container at a time, each part with a share of a CPU that it never exceeds for long.
 */
export class SlowLooks implements AsyncDisposable {
  readonly #options: SlowLooksOptions;
  readonly #devices: MountDevices;
  readonly #stop = new AbortController();
  readonly #loops: readonly Promise<void>[];

  constructor(options: SlowLooksOptions) {
    this.#options = options;
    this.#devices = new MountDevices(options.root);
    this.#loops = [
      this.#loop((container, looked, pids) => this.#lookAtProcesses(container, looked, pids)),
      this.#loop((container, looked) => this.#lookAtDisk(container, looked)),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#loops);
  }

  async #loop(look: Look): Promise<void> {
    const looked = new Map<ReplicaId, Looked>();
    while (!this.#stop.signal.aborted) {
      for (const { container, entry } of this.#due(looked)) {
        // Before its first sample, and after its last, there is nothing to add to.
        const pids = this.#options.pidsOf(container.id);
        if (pids.length > 0) await look(container, entry, pids);
        if (this.#stop.signal.aborted) return;
      }
      await this.#rest(IDLE_MS);
    }
  }

  /** The longest due first. Forgets those that are not there any more. */
  #due(looked: Map<ReplicaId, Looked>): { container: Discovered; entry: Looked }[] {
    const nowMs = this.#options.clock.monotonicMs();
    const due: { container: Discovered; entry: Looked }[] = [];
    const known = new Set<ReplicaId>();
    for (const container of this.#options.containers()) {
      known.add(container.id);
      const entry = looked.get(container.id) ?? { dueMs: nowMs, lastMs: nowMs };
      looked.set(container.id, entry);
      if (entry.dueMs <= nowMs) due.push({ container, entry });
    }
    for (const id of looked.keys()) if (!known.has(id)) looked.delete(id);
    return due.sort((a, b) => a.entry.dueMs - b.entry.dueMs);
  }

  async #lookAtProcesses({ id }: Discovered, looked: Looked, pids: readonly number[]): Promise<void> {
    const { clock, root, note } = this.#options;
    const fromMs = clock.monotonicMs();
    looked.dueMs = fromMs + PROCESSES_EVERY_MS;
    const steps = lookAtProcesses(join(root, "proc"), pids);
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
    await this.#rest(tookMs / DISK_DUTY_RATIO);
  }

  async #filesystemOf({ writableLayer }: Discovered): Promise<FilesystemUse | undefined> {
    if (writableLayer === undefined) return undefined;
    const path = join(this.#options.root, writableLayer);
    try {
      const [{ dev }, { bsize, blocks, files, ffree }] = [await lstat(path), await statfs(path)];
      return {
        device: await this.#devices.nameOf(deviceNumbers(dev), this.#options.clock.monotonicMs()),
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
