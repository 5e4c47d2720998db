import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../core/errors.ts";
import { flyballBoard } from "./boards/flyball.ts";
import { overviewBoard } from "./boards/overview.ts";
import { scalingBoard } from "./boards/scaling.ts";
import { serviceBoard } from "./boards/service.ts";

const FOLDER = join(import.meta.dirname, "grafana");

const BOARDS = {
  overview: overviewBoard,
  service: serviceBoard,
  scaling: scalingBoard,
  flyball: flyballBoard,
} as const;

export interface BoardFile {
  readonly path: string;
  /** Undefined: not there yet. */
  readonly committed: string | undefined;
  readonly generated: string;
}

/** Every board: its file as it is, and as `npm run dashboards` would write it now. */
export function boardFiles(): BoardFile[] {
  return Object.entries(BOARDS).map(([name, make]) => {
    const path = join(FOLDER, `${name}.json`);
    return { path, committed: read(path), generated: `${JSON.stringify(make(), null, 2)}\n` };
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

if (import.meta.main) {
  mkdirSync(FOLDER, { recursive: true });
  for (const { path, committed, generated } of boardFiles()) {
    if (generated === committed) continue;
    writeFileSync(path, generated);
    process.stdout.write(`${path}\n`);
  }
}
