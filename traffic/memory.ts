import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { makePrivateDirectory } from "../core/link-path.ts";
import type { Owners } from "./table.ts";

const FILE = "memory.json";

const schema = z.object({
  owners: z.record(z.string(), z.string()),
  /** That the balancer listens on. */
  addresses: z.array(z.string()),
  wakers: z.record(z.string(), z.number()).default({}),
});

/** What outlives the daemon, as its HAProxy does. */
export interface Memory {
  readonly owners: Owners;
  readonly addresses: readonly string[];
  /** By back-end: the port of this machine that it is led to while nobody serves. */
  readonly wakers: Readonly<Record<string, number>>;
}

/** Nothing, where there is none or it cannot be read: it is all found out again. */
export function readMemory(directory: string): Memory {
  try {
    return schema.parse(JSON.parse(readFileSync(join(directory, FILE), "utf8")));
  } catch {
    return { owners: {}, addresses: [], wakers: {} };
  }
}

export function writeMemory(directory: string, memory: Memory): void {
  makePrivateDirectory(directory);
  const file = join(directory, FILE);
  writeFileSync(`${file}.new`, JSON.stringify(memory), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
