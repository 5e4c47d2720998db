import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { FlyballError, isFlyballError, messageOf } from "../../core/errors.ts";
import { connect } from "../connection.ts";
import { addComposeOptions, type ComposeFlags, type GlobalFlags } from "../options.ts";
import { isOwnOverride, overrideText } from "../override-file.ts";
import { readProject } from "../project.ts";
import type { AddCommand, CommandContext } from "./command.ts";

interface OverrideFlags extends GlobalFlags, ComposeFlags {
  readonly output?: string;
}

interface Files {
  readonly name?: string;
  readonly services: Readonly<Record<string, unknown>>;
}

const servicesSchema = z.object({ services: z.record(z.string(), z.unknown()) });

export const addOverride: AddCommand = (program, context) => {
  const { terminal } = context;
  const command = program
    .command("override")
    .description("write a compose override with the counts of now, so that docker compose keeps them")
    .argument("[project]", "by default that of the compose files here, else the only one there is")
    .option("--output <file>", "as compose.flyball.yaml; by default it is printed");
  addComposeOptions(command).action(async (word: string | undefined) => {
    const flags = command.optsWithGlobals<OverrideFlags>();
    const all = await connect(flags, terminal).client.services();
    const files = await filesHere(flags, context);
    const project = projectAmong([...new Set(all.map((service) => service.project))], word, files.name);
    const scaling = all.filter((service) => service.project === project && service.autoscale !== undefined);
    if (scaling.length === 0) throw new FlyballError("NOT_FOUND", `no service of ${project} scales`);
    const text = overrideText(project, scaling, files.name === project ? files.services : {});
    if (flags.output === undefined) {
      terminal.print(text.trimEnd());
      return;
    }
    write(resolve(terminal.workingDirectory, flags.output), text);
    terminal.note(`${flags.output}: ${scaling.map(({ name }) => name).join(", ")}`);
  });
};

/** Nothing where there are no compose files. */
async function filesHere(flags: ComposeFlags, { terminal, loadDaemonCode }: CommandContext): Promise<Files> {
  try {
    const { name, request } = await readProject(flags, await loadDaemonCode(), terminal);
    return { name, ...servicesSchema.parse(request.compose) };
  } catch (error) {
    if (isFlyballError(error) && error.code === "COMPOSE_NOT_FOUND" && flags.file === undefined)
      return { services: {} };
    throw error;
  }
}

function projectAmong(known: readonly string[], word: string | undefined, here: string | undefined): string {
  const [only, ...others] = known;
  const name = word ?? here ?? (others.length === 0 ? only : undefined);
  if (name !== undefined && known.includes(name)) return name;
  const listed = known.length === 0 ? "there is none" : `there are ${known.join(", ")}`;
  throw new FlyballError("NOT_FOUND", `expected a project of the daemon, got ${name ?? "none"}: ${listed}`);
}

function write(path: string, text: string): void {
  try {
    if (existsSync(path) && !isOwnOverride(readFileSync(path, "utf8"))) {
      throw new FlyballError(
        "CONFIG_INVALID",
        `${path} was not written by flyball override, and is left alone`,
      );
    }
    writeFileSync(path, text);
  } catch (error) {
    if (isFlyballError(error)) throw error;
    throw new FlyballError("CONFIG_INVALID", `${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
