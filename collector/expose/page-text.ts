import type { Family } from "./family.ts";
import { heading, PAGE_ENDS, type PageFormat } from "./page-format.ts";
import type { SubjectText } from "./subject-text.ts";

/** Subjects of one kind: a part of a page. */
export interface Section {
  readonly families: readonly Omit<Family<never>, "rows">[];
  readonly texts: readonly Pick<SubjectText<never>, "bytes" | "familyBytes" | "copyFamily">[];
}

/** Gives a buffer that has room for so many bytes at least, to be written from its start. */
export type Room = (bytes: number) => Buffer;

/**
 * A page family by family, as all series of one must stand together; a family without any is left out. It is given in
 * pieces, each as full as whole lines allow.
 */
export class PageText {
  readonly #sections: readonly Section[];
  readonly #format: PageFormat;
  /** In the order of the sections; undefined where there are no series. */
  readonly #headings: readonly (readonly (Buffer | undefined)[])[];
  readonly length: number;

  constructor(sections: readonly Section[], format: PageFormat) {
    this.#sections = sections;
    this.#format = format;
    this.#headings = sections.map(({ families, texts }) =>
      families.map((family, position) =>
        texts.some((text) => text.familyBytes(position) > 0)
          ? Buffer.from(heading(family, format))
          : undefined,
      ),
    );
    const headingsBytes = this.#headings.flat().reduce((sum, text) => sum + (text?.length ?? 0), 0);
    const textsBytes = sections.flatMap(({ texts }) => texts).reduce((sum, { bytes }) => sum + bytes, 0);
    this.length = headingsBytes + textsBytes + Buffer.byteLength(PAGE_ENDS[format]);
  }

  /** Each stands in a buffer of its own, from its start. */
  *pieces(room: Room): Generator<Buffer> {
    let piece = room(0);
    let at = 0;
    for (const [index, { texts }] of this.#sections.entries()) {
      for (const [position, head] of this.#headings[index]?.entries() ?? []) {
        if (head === undefined) continue;
        if (at + head.length > piece.length) {
          yield piece.subarray(0, at);
          piece = room(head.length);
          at = 0;
        }
        at += head.copy(piece, at);
        for (const text of texts) {
          const bytes = text.familyBytes(position);
          if (at + bytes > piece.length) {
            yield piece.subarray(0, at);
            piece = room(bytes);
            at = 0;
          }
          at = text.copyFamily(position, piece, at);
        }
      }
    }
    const end = Buffer.from(PAGE_ENDS[this.#format]);
    if (at + end.length > piece.length) {
      yield piece.subarray(0, at);
      piece = room(end.length);
      at = 0;
    }
    at += end.copy(piece, at);
    yield piece.subarray(0, at);
  }
}
