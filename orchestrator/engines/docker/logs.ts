const HEADER_BYTES = 8;

/**
 * The text of a log as the engine frames it: 8 bytes of stream number and length before each piece. A container with
 * a terminal has no frames.
 */
export function logText(raw: Buffer, hasTerminal: boolean): string {
  if (hasTerminal) return raw.toString("utf8");
  const pieces: Buffer[] = [];
  for (let offset = 0; offset + HEADER_BYTES <= raw.length; ) {
    const end = offset + HEADER_BYTES + raw.readUInt32BE(offset + 4);
    pieces.push(raw.subarray(offset + HEADER_BYTES, end));
    offset = end;
  }
  return Buffer.concat(pieces).toString("utf8");
}
