import { readFileSync } from "node:fs";
import { join } from "node:path/posix";

/** What `/proc/diskstats` calls the devices that cgroups name by their numbers. */
export class BlockDevices {
  readonly #procRoot: string;
  readonly #names = new Map<string, string>();

  constructor(procRoot: string) {
    this.#procRoot = procRoot;
  }

  /** `/dev/vda` for `254:0`; the numbers themselves for a device without a name. */
  nameOf(numbers: string): string {
    const known = this.#names.get(numbers);
    if (known !== undefined) return known;
    this.#look();
    const name = this.#names.get(numbers) ?? numbers;
    // Remembered also when there is none: looking again at each reading would not find it.
    this.#names.set(numbers, name);
    return name;
  }

  #look(): void {
    try {
      const text = readFileSync(join(this.#procRoot, "diskstats"), "utf8");
      for (const [numbers, name] of parseDeviceNames(text)) this.#names.set(numbers, name);
    } catch {
      // Without the file the numbers stand for themselves.
    }
  }
}

/** From lines of `major minor name …`. */
export function parseDeviceNames(text: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [major, minor, name] = line.trim().split(/\s+/u);
    if (major !== undefined && minor !== undefined && name !== undefined) {
      names.set(`${major}:${minor}`, `/dev/${name}`);
    }
  }
  return names;
}
