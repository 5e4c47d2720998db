const HEADER_BYTES = 8;
const STDERR = 2;

export interface Frame {
  readonly kind: "stdout" | "stderr";
  /** A part of what was written; where it is cut means nothing. */
  readonly payload: Buffer;
}

/** Takes apart what the engine frames, piece by piece: 8 bytes of stream number and length, and as many bytes. */
export class FrameReader {
  #header = Buffer.alloc(0);
  #kind: Frame["kind"] = "stdout";
  #left = 0;

  take(piece: Buffer): Frame[] {
    const frames: Frame[] = [];
    for (let rest = piece; rest.length > 0; ) {
      if (this.#left > 0) {
        const payload = rest.subarray(0, this.#left);
        frames.push({ kind: this.#kind, payload });
        this.#left -= payload.length;
        rest = rest.subarray(payload.length);
        continue;
      }
      const missing = HEADER_BYTES - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length < HEADER_BYTES) continue;
      this.#kind = this.#header[0] === STDERR ? "stderr" : "stdout";
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
    return frames;
  }
}
