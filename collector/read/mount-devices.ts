import { readFile } from "node:fs/promises";
import { join } from "node:path/posix";
import { SECOND_MS } from "../../core/units.ts";

/** Which device is behind the numbers that `stat` gives, from a mountinfo: `254:0` → `/dev/vda`. */
export function mountDevices(text: string): Map<string, string> {
  const devices = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [front = "", back = ""] = line.split(" - ", 2);
    const numbers = front.split(" ")[2];
    const device = back.split(" ")[1];
    if (numbers !== undefined && device !== undefined && !devices.has(numbers)) devices.set(numbers, device);
  }
  return devices;
}

/** A number may come to mean another device; that is seen so late at the most. */
const KEPT_MS = 600 * SECOND_MS;

/**
 * The devices that are mounted. What was asked for is remembered: each container adds lines to the table of mounts, so
 * that reading it for each of them would cost with the square of their number.
 */
export class MountDevices {
  readonly #path: string;
  readonly #names = new Map<string, string>();
  #keptUntilMs = 0;

  constructor(root: string) {
    this.#path = join(root, "proc/self/mountinfo");
  }

  /** `/dev/vda` for `254:0`; the numbers themselves for what is not in the table. */
  async nameOf(numbers: string, nowMs: number): Promise<string> {
    if (nowMs >= this.#keptUntilMs) {
      this.#names.clear();
      this.#keptUntilMs = nowMs + KEPT_MS;
    }
    const known = this.#names.get(numbers);
    if (known !== undefined) return known;
    const text = await readFile(this.#path, "utf8").catch(() => "");
    const name = mountDevices(text).get(numbers) ?? numbers;
    this.#names.set(numbers, name);
    return name;
  }
}
