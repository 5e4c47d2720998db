import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** In the order docker compose prefers them. */
export const FILE_NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDE_NAMES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

export interface FoundFiles {
  /** The compose file and, when there is one, its override; absolute. */
  readonly files: readonly string[];
  /** Others that could have been meant and were not taken. */
  readonly passedOver: readonly string[];
}

/** The compose file of a directory or of the nearest directory above it that has one, or undefined. */
export async function findFiles(directory: string): Promise<FoundFiles | undefined> {
  for (let here = directory; ; here = dirname(here)) {
    const [file, ...others] = await existing(here, FILE_NAMES);
    if (file !== undefined) {
      const [override, ...otherOverrides] = await existing(here, OVERRIDE_NAMES);
      const files = override === undefined ? [file] : [file, override];
      return { files, passedOver: [...others, ...otherOverrides] };
    }
    if (dirname(here) === here) return undefined;
  }
}

async function existing(directory: string, names: readonly string[]): Promise<string[]> {
  const paths = names.map((name) => join(directory, name));
  const found = await Promise.all(paths.map(isThere));
  return paths.filter((_, index) => found[index] === true);
}

/** Whether something that is not a directory stands there. */
export async function isThere(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
