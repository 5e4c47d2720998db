import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { formatError, isFlyballError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { formatDuration, MINUTE_MS, parseDurationMs, SECOND_MS } from "../../core/units.ts";
import type { EndpointDirectory } from "../../core/wire-endpoints.ts";
import { connect } from "../connection.ts";
import type { GlobalFlags } from "../options.ts";
import { listenForStop } from "../stop-signal.ts";
import { directories, pause } from "../template/directories.ts";
import type { KeptFileOptions } from "../template/kept-file.ts";
import { printable, type Terminal } from "../terminal.ts";
import type { AddCommand } from "./command.ts";

interface RenderFlags extends GlobalFlags {
  readonly exec?: string;
  readonly check?: string;
  readonly once?: true;
  readonly minInterval: number;
}

const STDOUT = "-";
const MOST_INTERVAL_MS = 5 * MINUTE_MS;

export const addRender: AddCommand = (program, { terminal }) => {
  const command = program
    .command("render")
    .description("keep a file in step with where services answer: a template, filled in anew at each change")
    .argument("<template>", "a Liquid template: services, and service.NAME with its endpoints")
    .argument("<out>", "the file to keep; - with --once: standard output")
    .option("--exec <command>", "run after the file has changed, as 'nginx -s reload'")
    .option(
      "--check <command>",
      "must succeed, or the file stays as it was; {} is the new text's file, as 'nginx -t -c {}'",
    )
    .option("--once", "write it once and end")
    .option(
      "--min-interval <duration>",
      "from one change of the file to the next",
      readMinInterval,
      SECOND_MS,
    );
  command.action(async (template: string, out: string) => {
    const flags = command.optsWithGlobals<RenderFlags>();
    const { exec, check, once } = flags;
    const { client } = connect(flags, terminal);
    const at = (file: string) => resolve(terminal.workingDirectory, file);
    const options = {
      template: at(template),
      // A program that is told of it may have a directory of its own.
      out: at(out),
      ...(exec === undefined ? {} : { exec }),
      ...(check === undefined ? {} : { check }),
    };
    const noteUnknown = unknownNoter(terminal, template);
    if (out === STDOUT) {
      if (!once || exec !== undefined || check !== undefined) {
        command.error("error: - is for --once, without --exec and --check");
      }
      const directory = await client.endpoints();
      const { renderTemplate } = await import("../template/liquid.ts");
      const { text, unknown } = renderTemplate(options.template, directory);
      noteUnknown(unknown, directory);
      terminal.print(text.replace(/\n$/, ""));
    } else if (once) {
      const directory = await client.endpoints();
      const file = await openKeptFile(options);
      noteUnknown((await file.take(directory)).unknown, directory);
    } else {
      using stop = listenForStop();
      const file = await openKeptFile(options);
      const note = (error: unknown) => terminal.note(printable(formatError(error)));
      let noted = "";
      const watched = directories(client, {
        signal: stop.signal,
        onTrouble: (error) => terminal.note(printable(`${out} stays as it is: ${error.message}`)),
        onAnswer: () => terminal.note(`the daemon at ${client.address} answers again`),
      });
      for await (const directory of watched) {
        try {
          const { outcome, unknown } = await file.take(directory);
          noted = "";
          noteUnknown(unknown, directory);
          if (outcome === "unchanged") continue;
          terminal.note(printable(`${out} was written: ${summaryOf(directory)}`));
        } catch (error) {
          if (!isFlyballError(error)) throw error;
          // The template is read anew while nothing changes, and its trouble is the same each time.
          if (noted !== error.message) note(error);
          noted = error.message;
        }
        await pause(flags.minInterval, stop.signal);
      }
    }
  });
};

/** Loaded when it is needed: no other command renders templates. */
async function openKeptFile(options: KeptFileOptions) {
  const { KeptFile } = await import("../template/kept-file.ts");
  return new KeptFile(options);
}

function readMinInterval(text: string): number {
  const intervalMs = parseDurationMs(text);
  if (intervalMs === undefined || intervalMs > MOST_INTERVAL_MS) {
    throw new InvalidArgumentError(`Expected a duration up to ${formatDuration(MOST_INTERVAL_MS)}, as 1s.`);
  }
  return intervalMs;
}

function summaryOf({ services }: EndpointDirectory): string {
  const count = services.reduce((sum, { endpoints }) => sum + endpoints.length, 0);
  return `${count} endpoint${count === 1 ? "" : "s"} of ${services.length} service${services.length === 1 ? "" : "s"}`;
}

/** Says once, and again when it is otherwise, which services of the template the daemon does not know. */
function unknownNoter(terminal: Terminal, template: string) {
  let said = "";
  return (unknown: readonly string[], { services }: EndpointDirectory): void => {
    const text = unknown.join(" ");
    if (text !== said) {
      for (const word of unknown) terminal.note(printable(`${template}: ${unknownSentence(word, services)}`));
    }
    said = text;
  };
}

function unknownSentence(word: string, services: EndpointDirectory["services"]): string {
  const called = services.filter(({ name }) => name === word).map(({ service }) => service);
  if (called.length > 1) return `${word} may be ${called.join(" or ")}: none is taken`;
  const meant = nearest(
    word,
    services.flatMap(({ service, name }) => [service, name]),
  );
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`;
  return `there is no service ${word}, and so no endpoints of it${hint}`;
}
