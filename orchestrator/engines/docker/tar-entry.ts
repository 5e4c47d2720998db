const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_AT = 345;
const PREFIX_BYTES = 155;
const MODIFIED_AT = 136;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

/**
 * A tar of one file, with that file under another path (up to 255 bytes) and of another time: the engine hands files out under their last name and
 * unpacks them under their whole one. Undefined when the tar is of something else, or the path is too long for the format.
 */
export function renameTarEntry(tar: Buffer, path: string, modifiedAtMs: number): Buffer | undefined {
  if (tar.length < BLOCK_BYTES || tar[156] !== 0x30 /* a plain file */) return undefined;
  const parts = splitPath(path.replace(/^\/+/u, ""));
  if (parts === undefined) return undefined;
  const renamed = Buffer.from(tar);
  renamed.fill(0, 0, NAME_BYTES).write(parts.name, 0);
  renamed.fill(0, PREFIX_AT, PREFIX_AT + PREFIX_BYTES).write(parts.prefix, PREFIX_AT);
  const modifiedAtSeconds = Math.floor(modifiedAtMs / 1000);
  renamed.write(`${modifiedAtSeconds.toString(8).padStart(11, "0")}\0`, MODIFIED_AT);
  // The sum is taken with its own field as spaces.
  renamed.fill(0x20, CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES);
  const sum = renamed.subarray(0, BLOCK_BYTES).reduce((total, byte) => total + byte, 0);
  renamed.write(`${sum.toString(8).padStart(6, "0")}\0 `, CHECKSUM_AT);
  return renamed;
}

function splitPath(path: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { name: path, prefix: "" };
  for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES)
      return { name, prefix };
  }
  return undefined;
}
