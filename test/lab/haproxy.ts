import { existsSync } from "node:fs";
import { join } from "node:path";
import { labDirectory, newerHaproxyRoot } from "./paths.ts";

/** A HAProxy that can be run here. */
export interface HaproxyProgram {
  /** "2.6" or "3.0" */
  readonly name: string;
  readonly path: string;
}

const NO_HAPROXY = "no HAProxy: run `npm run lab -- up`";

/** Those that are there, oldest first: the machine's own, and the newer suite's in the lab's directory. */
export function haproxyPrograms(): HaproxyProgram[] {
  const paths = { "2.6": "/usr/sbin/haproxy", "3.0": join(newerHaproxyRoot(labDirectory()), "haproxy") };
  return Object.entries(paths)
    .map(([name, path]) => ({ name, path }))
    .filter(({ path }) => existsSync(path));
}

/**
 * The `skip` option for tests that need a HAProxy: the reason when there is none, else false. Where
 * `FLYBALL_REQUIRE_ENGINE=1` says that the lab must be there, it throws the reason instead.
 */
export function skipWithoutHaproxy(programs: readonly HaproxyProgram[]): string | false {
  if (programs.length > 0) return false;
  if (process.env["FLYBALL_REQUIRE_ENGINE"] === "1") throw new Error(NO_HAPROXY);
  return NO_HAPROXY;
}
