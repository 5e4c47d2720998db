import { type Command, Option } from "commander";
import { DEFAULT_LISTEN } from "../core/config.ts";
import { collect } from "./arguments.ts";

export interface GlobalFlags {
  readonly address?: string;
  readonly config?: string;
}

export interface DaemonFlags {
  readonly engine?: "auto" | "docker" | "process";
  readonly dataDir?: string;
  readonly listen?: string;
}

export interface ComposeFlags {
  readonly file?: string[];
  readonly projectName?: string;
  readonly profile?: string[];
  readonly envFile?: string[];
  readonly projectDirectory?: string;
}

export interface JsonFlag {
  readonly json?: true;
}

/** Options that every command takes, before or after its name. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option("--address <url>", "the daemon to ask (default: $FLYBALL_ADDRESS, else where it listens)")
    .option("--config <file>", "the config file (default: $FLYBALL_CONFIG)");
}

/** Options of the commands that may run a daemon. */
export function addDaemonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--engine <engine>", "what runs the replicas").choices(["auto", "docker", "process"]),
    )
    .option("--data-dir <directory>", "where the daemon keeps what an engine cannot")
    .option("--listen <address>", `where the API listens (default: ${DEFAULT_LISTEN})`);
}

/** Options that find a compose project, as `docker compose` names them. */
export function addComposeOptions(command: Command): Command {
  return command
    .option("-f, --file <file>", "a compose file; may be given several times", collect)
    .option("-p, --project-name <name>", "the project's name")
    .option("--profile <profile>", "a profile to enable; may be given several times", collect)
    .option("--env-file <file>", "a file of variables; may be given several times", collect)
    .option("--project-directory <directory>", "what relative paths are relative to");
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print the daemon's answer as JSON");
}
