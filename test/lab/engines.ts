import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readVersion } from "./api.ts";
import { type CommandOptions, type CommandResult, runCommand } from "./command.ts";
import { composePlugin, labDirectory } from "./paths.ts";
import { readState } from "./state.ts";

/** A Docker engine of the lab that answers. */
export interface LabEngine {
  /** "20.10" or "26.1" */
  readonly name: string;
  readonly socketPath: string;
  /** The engine's own full version, as "20.10.24+dfsg1". */
  readonly version: string;
}

/** In every engine of the lab: a static busybox (sh, httpd, wget, nc …), `sh` by default, an empty `/www`. */
export const LAB_IMAGE = "flyball/busybox:lab";

const NO_ENGINE = "no Docker engine: run `npm run lab -- up`";

/** The lab's engines that really answer now, oldest first. */
export async function labEngines(): Promise<LabEngine[]> {
  const engines = await Promise.all(
    readState(labDirectory()).map(async ({ name, socketPath }) => {
      const answer = await readVersion(socketPath);
      return answer === undefined ? [] : [{ name, socketPath, version: answer.version }];
    }),
  );
  return engines.flat();
}

/**
 * The `skip` option for tests that need an engine: the reason when there is none, else false. Where
 * `FLYBALL_REQUIRE_ENGINE=1` says that there must be one, it throws the reason instead.
 */
export function skipWithoutEngine(engines: readonly LabEngine[]): string | false {
  return skipUnless(engines.length > 0);
}

/** The same for tests that need only the compose plugin, as `docker compose config` does. */
export function skipWithoutCompose(): string | false {
  return skipUnless(composeBinary() !== undefined);
}

/** The value of `DOCKER_HOST` for the engine. */
export function dockerHostFor(engine: LabEngine): string {
  return `unix://${engine.socketPath}`;
}

/** The `docker compose` plugin, which also runs on its own; undefined before the first `up`. */
export function composeBinary(): string | undefined {
  const path = composePlugin(labDirectory());
  return existsSync(path) ? path : undefined;
}

/** Runs `docker compose` against the engine. A status other than 0 is a result, not an error. */
export function compose(
  engine: LabEngine,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return runAgainst(engine, composePlugin(labDirectory()), args, options);
}

/** Runs the old `docker-compose` 1.29.2, which names things otherwise (`project_web_1`), against the engine. */
export function composeV1(
  engine: LabEngine,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return runAgainst(engine, "/usr/bin/docker-compose", args, options);
}

function runAgainst(
  engine: LabEngine,
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  // The person's own ~/.docker could name another context, or credential helpers.
  const config = join(labDirectory(), "docker-config");
  mkdirSync(config, { recursive: true });
  const { DOCKER_CONTEXT: _, ...inherited } = process.env;
  return runCommand(program, args, {
    ...options,
    env: { ...inherited, DOCKER_CONFIG: config, ...options.env, DOCKER_HOST: dockerHostFor(engine) },
  });
}

function skipUnless(isThere: boolean): string | false {
  if (isThere) return false;
  if (process.env["FLYBALL_REQUIRE_ENGINE"] === "1") throw new Error(NO_ENGINE);
  return NO_ENGINE;
}
