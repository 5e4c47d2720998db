import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type LoadOptions, loadProject } from "../../../orchestrator/compose/load.ts";

/**
 * Each folder of fixtures/ is one case: compose files, perhaps `options.json` with the command line, and
 * `expected.json`, what `docker compose config --format json` printed. `record.ts` writes the latter.
 */
export const FIXTURES = join(import.meta.dirname, "fixtures");

export const CASES = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(FIXTURES, entry.name, "expected.json")))
  .map((entry) => entry.name)
  .sort();

/** Cases that have no recorded result yet too. */
export const FOLDERS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

type CaseOptions = Pick<
  LoadOptions,
  "files" | "projectName" | "projectDirectory" | "envFiles" | "profiles"
> & {
  readonly environment?: Readonly<Record<string, string>>;
};

const HOME = "/home/someone";

function caseOptions(name: string): CaseOptions {
  const file = join(FIXTURES, name, "options.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as CaseOptions) : {};
}

/** What docker compose printed, as recorded. */
export function expected(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, name, "expected.json"), "utf8"));
}

/** What Flyball makes of the case, in the recorded form. */
export async function load(name: string): Promise<unknown> {
  const { environment = {}, ...options } = caseOptions(name);
  const workingDirectory = join(FIXTURES, name);
  const { project } = await loadProject({
    ...options,
    environment: { HOME, ...environment },
    workingDirectory,
  });
  return JSON.parse(portable(escapeDollars(JSON.stringify(project)), name));
}

/** What this docker compose prints for the case, in the recorded form; rejects when it refuses the files. */
export async function runCompose(binary: string, name: string): Promise<unknown> {
  const {
    files = [],
    projectName,
    projectDirectory,
    envFiles = [],
    profiles = [],
    environment,
  } = caseOptions(name);
  const flags = [
    ...files.flatMap((file) => ["-f", file]),
    ...envFiles.flatMap((file) => ["--env-file", file]),
    ...profiles.flatMap((profile) => ["--profile", profile]),
    ...(projectName === undefined ? [] : ["-p", projectName]),
    ...(projectDirectory === undefined ? [] : ["--project-directory", projectDirectory]),
  ];
  const { stdout } = await promisify(execFile)(binary, [...flags, "config", "--format", "json"], {
    cwd: join(FIXTURES, name),
    env: { HOME, ...environment },
  });
  return JSON.parse(portable(stdout, name));
}

/** docker compose prints `$` as `$$`, so that what it prints can be read again. */
function escapeDollars(text: string): string {
  return text.replaceAll("$", "$$$$");
}

function portable(text: string, name: string): string {
  const directory = join(FIXTURES, name);
  return text.replaceAll(directory, "{{dir}}").replaceAll(dirname(directory), "{{dir}}/..");
}
