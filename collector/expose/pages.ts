import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { ReplicaId } from "../../core/types.ts";
import type { Discovered } from "../discover/discovered.ts";
import type { HostMeasurement } from "../host/host-measurement.ts";
import type { Measurement } from "../read/measurement.ts";
import type { ContainerReading } from "./container-families.ts";
import { CONTAINER_FAMILIES, HOST_FAMILIES, OWN_FAMILIES } from "./families.ts";
import type { Family } from "./family.ts";
import { LabelBook, type LabelLog } from "./label-book.ts";
import type { Label, LabelRules } from "./label-rules.ts";
import type { OwnFigures } from "./own-families.ts";
import { heading, PAGE_ENDS, type PageFormat } from "./page-format.ts";
import { SubjectText } from "./subject-text.ts";

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

interface Written {
  readonly format: PageFormat;
  readonly page: Buffer;
  zipped?: Promise<Buffer>;
}

/** The figures that the pages do not know of themselves. */
export type GivenFigures = Omit<
  OwnFigures,
  "containers" | "missing" | "labelProblems" | "pageBytes" | "pageSeconds"
>;

const compress = promisify(gzip);
const ROOT_LABELS: readonly Label[] = [{ name: "id", value: "/" }];

/**
 * The newest round as a page of metrics. Written when it is asked for, at most once for each round and format, and
 * compressed at most once: whoever asks in the same tick is given the same bytes.
 */
export class Pages {
  readonly #book: LabelBook;
  readonly #figures: () => GivenFigures;
  readonly #now: () => number;
  readonly #shown = new Map<ReplicaId, Shown>();
  readonly #root = new SubjectText(CONTAINER_FAMILIES, ROOT_LABELS);
  readonly #host = new SubjectText(HOST_FAMILIES, []);
  readonly #own = new SubjectText(OWN_FAMILIES, []);
  #round: Round | undefined;
  #written: Written[] = [];
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
    // Pages are large: nobody asks for an old one.
    this.#written = [];
  }

  /** Not to be written to: others are given the same. Empty before the first round. */
  page(format: PageFormat): Buffer {
    return this.#write(format)?.page ?? Buffer.from(PAGE_ENDS[format]);
  }

  gzipped(format: PageFormat): Promise<Buffer> {
    const written = this.#write(format);
    if (written === undefined) return compress(PAGE_ENDS[format]);
    written.zipped ??= compress(written.page, { level: constants.Z_BEST_SPEED });
    return written.zipped;
  }

  #write(format: PageFormat): Written | undefined {
    const round = this.#round;
    if (round === undefined) return undefined;
    const known = this.#written.find((written) => written.format === format);
    if (known !== undefined) return known;
    const fromMs = this.#now();
    const containers = this.#updateContainers(round);
    const roots = this.#updateHost(round);
    this.#own.update({
      ...this.#figures(),
      containers: containers.length,
      missing: round.containers.size - containers.length,
      labelProblems: this.#book.problems,
      pageBytes: this.#pageBytes,
      pageSeconds: this.#pageSeconds,
    });
    const written = { format, page: this.#assemble(format, [...containers, ...roots], round) };
    this.#written.push(written);
    this.#pageBytes = written.page.length;
    this.#pageSeconds = (this.#now() - fromMs) / 1_000;
    return written;
  }

  /** Brings the texts up to date, and forgets those of what is not there any more. */
  #updateContainers({ containers, measurements, atMs }: Round): SubjectText<ContainerReading>[] {
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

  #assemble(format: PageFormat, containers: readonly SubjectText<ContainerReading>[], round: Round): Buffer {
    const hosts = round.host === undefined ? [] : [this.#host];
    const texts = [...containers, ...hosts, this.#own];
    const length = texts.reduce((sum, { bytes }) => sum + bytes, HEADINGS_BYTES[format]);
    const page = Buffer.allocUnsafeSlow(length);
    let at = copyFamilies(page, 0, format, CONTAINER_FAMILIES, containers);
    at = copyFamilies(page, at, format, HOST_FAMILIES, hosts);
    at = copyFamilies(page, at, format, OWN_FAMILIES, [this.#own]);
    at += page.write(PAGE_ENDS[format], at);
    return page.subarray(0, at);
  }
}

/** Of all families: what a page needs at most beside its series. */
const HEADINGS_BYTES: Readonly<Record<PageFormat, number>> = {
  prometheus: headingsBytes("prometheus"),
  openmetrics: headingsBytes("openmetrics"),
};

function headingsBytes(format: PageFormat): number {
  const families: readonly Omit<Family<never>, "rows">[] = [
    ...CONTAINER_FAMILIES,
    ...HOST_FAMILIES,
    ...OWN_FAMILIES,
  ];
  const headings = families.map((family) => heading(family, format));
  return Buffer.byteLength(headings.join("") + PAGE_ENDS[format]);
}

/** Family by family: all series of one stand together. A family without any is left out. */
function copyFamilies<Subject>(
  page: Buffer,
  from: number,
  format: PageFormat,
  families: readonly Family<Subject>[],
  texts: readonly SubjectText<Subject>[],
): number {
  let at = from;
  for (const [position, family] of families.entries()) {
    const headed = at + page.write(heading(family, format), at);
    let end = headed;
    for (const text of texts) end = text.copyFamily(position, page, end);
    if (end > headed) at = end;
  }
  return at;
}

/** What every series of a container says first. */
function identityOf({ id, kind, image, name }: Discovered): Label[] {
  return [
    { name: "id", value: kind === "container" ? `/docker/${id}` : `/flyball/${id}` },
    ...(image === undefined ? [] : [{ name: "image", value: image }]),
    { name: "name", value: name },
  ];
}
