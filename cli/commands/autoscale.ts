import type { AutoscaleRequest } from "../../core/wire.ts";
import { connect } from "../connection.ts";
import type { GlobalFlags } from "../options.ts";
import { renderMode } from "../render.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

const COMMANDS: readonly {
  readonly name: string;
  readonly mode: AutoscaleRequest["mode"];
  readonly description: string;
}[] = [
  { name: "approve", mode: "live", description: "let the rules of services scale them from now on" },
  { name: "shadow", mode: "shadow", description: "only show what the rules would do, until approved" },
  { name: "pause", mode: "paused", description: "keep services at their count, until resumed" },
  { name: "resume", mode: "resumed", description: "end a pause" },
];

/** `approve`, `shadow`, `pause` and `resume`. */
export const addAutoscaleModes: AddCommand = (program, { terminal }) => {
  for (const { name, mode, description } of COMMANDS) {
    const command = program
      .command(name)
      .description(description)
      .argument("<service...>")
      .action(async (words: string[]) => {
        const { client } = connect(command.optsWithGlobals<GlobalFlags>(), terminal);
        const services = await client.services();
        // Every name is understood before anything changes.
        const ids = words.map((word) => resolveService(word, services));
        for (const id of ids) terminal.print(renderMode(await client.setAutoscale(id, { mode })));
      });
  }
};
