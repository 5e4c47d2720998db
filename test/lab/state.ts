import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isSystemError } from "../../core/errors.ts";

const processIdentity = z.object({ pid: z.number().int(), startTicks: z.number().int() });

const engineState = z.object({
  /** "20.10" or "26.1" */
  name: z.string(),
  socketPath: z.string(),
  /** What `/version` says; absent until the engine has answered for the first time. */
  version: z.string().optional(),
  apiVersion: z.string().optional(),
  composePlugin: z.string(),
  /** Network interface of the default network, and the second octet of the engine's 10.x.0.0/16. */
  bridge: z.string(),
  octet: z.number().int(),
  containerd: processIdentity.optional(),
  dockerd: processIdentity.optional(),
});

const labState = z.object({ engines: z.array(engineState) });

/** What `up` started: the only processes, sockets and bridges that `down` may end. */
export type EngineState = z.infer<typeof engineState>;

/** The engines that the state file names; none when there is no state file. */
export function readState(directory: string): EngineState[] {
  const file = stateFile(directory);
  try {
    return labState.parse(JSON.parse(readFileSync(file, "utf8"))).engines;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw new Error(`${file} cannot be used`, { cause: error });
  }
}

/** Puts the engine in place of the one of the same name. */
export function saveEngine(directory: string, engine: EngineState): void {
  const others = readState(directory).filter(({ name }) => name !== engine.name);
  write(
    directory,
    [...others, engine].sort((a, b) => a.name.localeCompare(b.name)),
  );
}

export function forgetEngine(directory: string, name: string): void {
  write(
    directory,
    readState(directory).filter((engine) => engine.name !== name),
  );
}

function write(directory: string, engines: EngineState[]): void {
  mkdirSync(directory, { recursive: true });
  const file = stateFile(directory);
  // Tests read the file while `up` writes it, so it is replaced as a whole.
  writeFileSync(`${file}.new`, `${JSON.stringify({ engines }, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function stateFile(directory: string): string {
  return join(directory, "state.json");
}
