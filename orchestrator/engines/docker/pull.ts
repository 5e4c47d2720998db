import { FlyballError } from "../../../core/errors.ts";
import { pullStream } from "./api.ts";
import type { DockerConnection } from "./connect.ts";
import { engineError, engineHangs } from "./errors.ts";
import { jsonLines } from "./json-lines.ts";

/** Without any progress. */
const SILENCE_MS = 300_000;

interface Progress {
  readonly error?: string;
}

/** Pulls to the end. The engine says 200 at once and tells of failure in the middle of the stream. */
export async function pullImage(
  connection: DockerConnection,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  const { image, tag } = splitReference(reference);
  const address = connection.address.text;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(engineHangs(address, SILENCE_MS)), SILENCE_MS);
  const either = AbortSignal.any([signal, silence.signal]);
  try {
    for await (const progress of jsonLines<Progress>(await pullStream(connection, image, tag, either))) {
      if (progress.error !== undefined) throw new FlyballError("ENGINE_REFUSED", progress.error);
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(engineHangs(address, SILENCE_MS)), SILENCE_MS);
    }
  } catch (error) {
    if (either.aborted) throw either.reason;
    const known = engineError(error, address);
    if (known.code !== "ENGINE_REFUSED") throw known;
    throw new FlyballError("ENGINE_REFUSED", `pull ${reference}: ${known.message}`, { cause: error });
  } finally {
    clearTimeout(timer);
    // Ends the request when the loop was left early.
    silence.abort();
  }
}

/** The tag is never left open: the engine would pull every tag there is. */
export function splitReference(reference: string): { image: string; tag: string } {
  const digest = reference.indexOf("@");
  if (digest >= 0) return { image: reference.slice(0, digest), tag: reference.slice(digest + 1) };
  const colon = reference.lastIndexOf(":");
  // A colon before the last slash is the registry's port.
  if (colon <= reference.lastIndexOf("/")) return { image: reference, tag: "latest" };
  return { image: reference.slice(0, colon), tag: reference.slice(colon + 1) };
}
