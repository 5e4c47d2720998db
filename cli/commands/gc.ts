import { FlyballError } from "../../core/errors.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderLeftovers, renderSwept } from "../render-care.ts";
import type { AddCommand } from "./command.ts";

interface GcFlags extends GlobalFlags, JsonFlag {
  readonly yes?: true;
}

export const addGc: AddCommand = (program, { terminal }) => {
  const command = program
    .command("gc")
    .description("show what replicas left behind and nobody uses, and remove it with --yes")
    .option("--yes", "remove what is shown");
  addJsonOption(command).action(async () => {
    const flags = command.optsWithGlobals<GcFlags>();
    const { client } = connect(flags, terminal);
    const leftovers = await client.leftovers();
    if (flags.yes !== true || leftovers.items.length === 0) {
      terminal.print(flags.json ? JSON.stringify(leftovers, null, 2) : renderLeftovers(leftovers, terminal));
      return;
    }
    if (!flags.json) terminal.print(renderLeftovers(leftovers, terminal));
    // By name: what has come since was not shown.
    const answer = await client.sweep({ keys: leftovers.items.map(({ key }) => key) });
    terminal.print(flags.json ? JSON.stringify(answer, null, 2) : renderSwept(answer));
    const failed = answer.swept.filter(({ problem }) => problem !== undefined);
    if (failed.length > 0) {
      throw new FlyballError(
        "ENGINE_REFUSED",
        `${failed.length} of ${answer.swept.length} could not be removed`,
      );
    }
  });
};
