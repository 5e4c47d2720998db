import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "../../../core/diagnostics.ts";
import { isFlyballError } from "../../../core/errors.ts";
import { type LoadedProject, type LoadOptions, loadProject } from "../../../orchestrator/compose/load.ts";

/** Files by name, written to a fresh directory that is gone afterwards. */
export async function withFiles<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "flyball-compose-"));
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

export type Outcome =
  | { readonly loaded: LoadedProject; readonly warnings: readonly Diagnostic[] }
  | { readonly code: string; readonly problems: readonly string[] };

/** Loads files, or tells with which code and problems they are refused. */
export function loadFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<LoadOptions> = {},
): Promise<Outcome> {
  return withFiles(files, async (workingDirectory) => {
    try {
      const loaded = await loadProject({ environment: {}, workingDirectory, projectName: "p", ...options });
      return { loaded, warnings: loaded.diagnostics };
    } catch (error) {
      if (!isFlyballError(error)) throw error;
      const problems = error.problems.map(({ at, message }) => `${at}: ${message}`);
      return { code: error.code, problems: problems.length > 0 ? problems : [error.message] };
    }
  });
}

/** The project of one compose file; fails when it is refused. */
export async function loadText(text: string, options: Partial<LoadOptions> = {}): Promise<LoadedProject> {
  const outcome = await loadFiles({ "compose.yaml": text }, options);
  if ("loaded" in outcome) return outcome.loaded;
  throw new Error(`refused: ${outcome.problems.join("; ")}`);
}

/** The problems for which one compose file is refused; fails when it is accepted. */
export async function problemsOf(
  text: string,
  options: Partial<LoadOptions> = {},
): Promise<readonly string[]> {
  const outcome = await loadFiles({ "compose.yaml": text }, options);
  if ("problems" in outcome) return outcome.problems;
  throw new Error("accepted");
}
