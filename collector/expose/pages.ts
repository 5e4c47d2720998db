import type { ReplicaId } from "../../core/types.ts";
import type { Discovered } from "../discover/discovered.ts";
import type { HostMeasurement } from "../host/host-measurement.ts";
import type { Measurement } from "../read/measurement.ts";
import { Slices } from "../slices.ts";
import type { ContainerReading } from "./container-families.ts";
import { CONTAINER_FAMILIES, HOST_FAMILIES, OWN_FAMILIES } from "./families.ts";
import { LabelBook, type LabelLog } from "./label-book.ts";
import type { Label, LabelRules } from "./label-rules.ts";
import type { OwnFigures } from "./own-families.ts";
import type { PageFormat } from "./page-format.ts";
import { PageText } from "./page-text.ts";
import { PiecePool } from "./piece-pool.ts";
import { SubjectText } from "./subject-text.ts";
import { Turns } from "./turns.ts";
import { zipped } from "./zipped.ts";

/** What one tick found. */
export interface Round {
  readonly atMs: number;
  readonly containers: ReadonlyMap<ReplicaId, Discovered>;
  readonly measurements: ReadonlyMap<ReplicaId, Measurement>;
  /** Reads the machine; asked only when a page is written. */
  readonly host: (() => HostMeasurement) | undefined;
}

interface Shown {
  readonly container: Discovered;
  readonly labels: string;
  readonly text: SubjectText<ContainerReading>;
}

/** A page that is being written. Others wait for their turn until it is disposed of. */
export interface Writing extends Disposable {
  /** When the values were read; undefined before the first round. */
  readonly atMs: number | undefined;
  readonly length: number;
  /** Some milliseconds of work each at most; between two others may have their turn. */
  pieces(): Iterable<Buffer>;
  /** A piece was taken by whoever it was for: it may be written to again. */
  give(piece: Buffer): void;
}

/** The figures that the pages do not know of themselves. */
export type GivenFigures = Omit<
  OwnFigures,
  "containers" | "missing" | "labelProblems" | "pageBytes" | "pageSeconds"
>;

const ROOT_LABELS: readonly Label[] = [{ name: "id", value: "/" }];

/**
 * The newest round as a page of metrics. Its values are put into the texts when it is asked for, at most once for each
 * round, and it is compressed at most once for each round and format. All of it in slices: sampling goes on meanwhile.
 */
export class Pages {
  readonly #book: LabelBook;
  readonly #figures: () => GivenFigures;
  readonly #now: () => number;
  readonly #shown = new Map<ReplicaId, Shown>();
  readonly #root = new SubjectText(CONTAINER_FAMILIES, ROOT_LABELS);
  readonly #host = new SubjectText(HOST_FAMILIES, []);
  readonly #own = new SubjectText(OWN_FAMILIES, []);
  readonly #turns = new Turns();
  readonly #pool = new PiecePool();
  #round: Round | undefined;
  /** The round whose values the texts have. */
  #inTexts: Round | undefined;
  #containers: readonly SubjectText<ContainerReading>[] = [];
  readonly #zipped = new Map<PageFormat, Promise<Buffer>>();
  #pageBytes = 0;
  #pageSeconds = 0;

  /** `now` is a clock that never goes back, in milliseconds. */
  constructor(options: {
    readonly labels: LabelRules;
    readonly log: LabelLog;
    readonly figures: () => GivenFigures;
    readonly now: () => number;
  }) {
    this.#book = new LabelBook(options.labels, options.log);
    this.#figures = options.figures;
    this.#now = options.now;
  }

  get atMs(): number | undefined {
    return this.#round?.atMs;
  }

  update(round: Round): void {
    this.#round = round;
    // Nobody asks for an old one.
    this.#zipped.clear();
  }

  /** Empty before the first round. */
  async write(format: PageFormat): Promise<Writing> {
    const turn = await this.#turns.take();
    try {
      const fromMs = this.#now();
      const round = this.#round;
      if (round !== undefined && round !== this.#inTexts) await this.#bringUpToDate(round);
      const page = this.#layOut(format);
      this.#pageBytes = page.length;
      this.#pageSeconds = (this.#now() - fromMs) / 1_000;
      return {
        atMs: this.#inTexts?.atMs,
        length: page.length,
        pieces: () => page.pieces((bytes) => this.#pool.take(bytes)),
        give: (piece) => this.#pool.give(piece),
        [Symbol.dispose]: () => turn[Symbol.dispose](),
      };
    } catch (error) {
      turn[Symbol.dispose]();
      throw error;
    }
  }

  gzipped(format: PageFormat): Promise<Buffer> {
    const known = this.#zipped.get(format) ?? this.#compress(format);
    this.#zipped.set(format, known);
    return known;
  }

  async #compress(format: PageFormat): Promise<Buffer> {
    using writing = await this.write(format);
    return await zipped(writing);
  }

  /** Puts the values of a round into the texts, and forgets those of what is not there any more. */
  async #bringUpToDate(round: Round): Promise<void> {
    const containers = await this.#updateContainers(round);
    const roots = this.#updateHost(round);
    this.#own.update({
      ...this.#figures(),
      containers: containers.length,
      missing: round.containers.size - containers.length,
      labelProblems: this.#book.problems,
      pageBytes: this.#pageBytes,
      pageSeconds: this.#pageSeconds,
    });
    this.#containers = [...containers, ...roots];
    this.#inTexts = round;
  }

  async #updateContainers(round: Round): Promise<SubjectText<ContainerReading>[]> {
    const { containers, measurements, atMs } = round;
    const slices = new Slices(this.#now);
    for (const id of this.#shown.keys()) {
      if (measurements.has(id) && containers.has(id)) continue;
      this.#shown.delete(id);
      this.#book.remove(id);
    }
    const texts: SubjectText<ContainerReading>[] = [];
    for (const [id, measurement] of measurements) {
      const container = containers.get(id);
      if (container === undefined) continue;
      const { text } = this.#shownOf(container);
      text.update({ container, measurement, atMs });
      texts.push(text);
      if (slices.isOver) await slices.next();
    }
    return texts;
  }

  #shownOf(container: Discovered): Shown {
    const before = this.#shown.get(container.id);
    if (before?.container === container) return before;
    const labels = [...identityOf(container), ...this.#book.enter(container)];
    const asText = JSON.stringify(labels);
    const text = before?.labels === asText ? before.text : new SubjectText(CONTAINER_FAMILIES, labels);
    const shown = { container, labels: asText, text };
    this.#shown.set(container.id, shown);
    return shown;
  }

  #updateHost({ host, atMs }: Round): SubjectText<ContainerReading>[] {
    if (host === undefined) return [];
    const machine = host();
    this.#host.update(machine);
    this.#root.update({ container: undefined, measurement: machine.root, atMs });
    return [this.#root];
  }

  #layOut(format: PageFormat): PageText {
    const round = this.#inTexts;
    if (round === undefined) return new PageText([], format);
    const hosts = round.host === undefined ? [] : [this.#host];
    return new PageText(
      [
        { families: CONTAINER_FAMILIES, texts: this.#containers },
        { families: HOST_FAMILIES, texts: hosts },
        { families: OWN_FAMILIES, texts: [this.#own] },
      ],
      format,
    );
  }
}

/** What every series of a container says first. */
function identityOf({ id, kind, image, name }: Discovered): Label[] {
  return [
    { name: "id", value: kind === "container" ? `/docker/${id}` : `/flyball/${id}` },
    ...(image === undefined ? [] : [{ name: "image", value: image }]),
    { name: "name", value: name },
  ];
}
