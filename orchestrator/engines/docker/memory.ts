import type { ReplicaId } from "../../../core/types.ts";
import type { InspectedContainer } from "./wire.ts";

/** After so long even what the events do not contradict is read again. */
const MAX_AGE_MS = 10_000;

/**
 * What the engine said earlier and need not be asked again. A container list says neither the process id nor the start,
 * so an entry is sound only while every event arrives: with no event stream nothing is remembered.
 */
export class Memory {
  readonly #containers = new Map<
    ReplicaId,
    { readonly listed: string; readonly atMs: number; readonly answer: InspectedContainer }
  >();
  readonly #images = new Map<string, { readonly id: string; readonly atMs: number }>();
  readonly #readySince = new Map<ReplicaId, { readonly startedAt: string; readonly readyAtMs: number }>();
  readonly #toldOf = new Set<ReplicaId>();
  #hearsEvents = false;
  /** Grows with every forgetting, so that an answer asked for before it is not kept after it. */
  #epoch = 0;

  /** Whether from now on events arrive. */
  set hearsEvents(hears: boolean) {
    this.#hearsEvents = hears;
    this.forgetAll();
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** @param listed what the list says of its state */
  container(id: ReplicaId, listed: string, nowMs: number): InspectedContainer | undefined {
    const entry = this.#containers.get(id);
    return entry !== undefined && entry.listed === listed && nowMs - entry.atMs < MAX_AGE_MS
      ? entry.answer
      : undefined;
  }

  keepContainer(answer: InspectedContainer, listed: string, epoch: number, nowMs: number): void {
    if (this.#hearsEvents && epoch === this.#epoch)
      this.#containers.set(answer.Id, { listed, atMs: nowMs, answer });
  }

  /** What an image's name stood for lately. */
  imageId(reference: string, nowMs: number): string | undefined {
    const image = this.#images.get(reference);
    return image !== undefined && nowMs - image.atMs < MAX_AGE_MS ? image.id : undefined;
  }

  keepImage(reference: string, id: string, epoch: number, nowMs: number): void {
    if (this.#hearsEvents && epoch === this.#epoch) this.#images.set(reference, { id, atMs: nowMs });
  }

  /** When this run of the container was first seen ready. */
  readyAtMs({ Id, State }: InspectedContainer): number | undefined {
    const entry = this.#readySince.get(Id);
    return entry !== undefined && entry.startedAt === State.StartedAt ? entry.readyAtMs : undefined;
  }

  keepReady({ Id, State }: InspectedContainer, readyAtMs: number): void {
    this.#readySince.set(Id, { startedAt: State.StartedAt ?? "", readyAtMs });
  }

  /** True the first time for each container: what is odd about it is not said at every look. */
  isFirstTold(id: ReplicaId): boolean {
    const isFirst = !this.#toldOf.has(id);
    this.#toldOf.add(id);
    return isFirst;
  }

  forgetContainer(id: ReplicaId): void {
    this.#epoch += 1;
    this.#containers.delete(id);
  }

  forgetImages(): void {
    this.#epoch += 1;
    this.#images.clear();
  }

  forgetAll(): void {
    this.#epoch += 1;
    this.#containers.clear();
    this.#images.clear();
  }

  /** Drops what is remembered of containers that are no more. */
  keepOnly(ids: ReadonlySet<ReplicaId>): void {
    for (const known of [this.#containers, this.#readySince, this.#toldOf]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
  }
}
