import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderService, renderServices } from "../render.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

export const addPs: AddCommand = (program, { terminal }) => {
  const command = program
    .command("ps")
    .description("show the services, or the replicas of those named")
    .argument("[service...]", "as web, or shop_web where several projects have a web");
  addJsonOption(command).action(async (words: string[]) => {
    const flags = command.optsWithGlobals<GlobalFlags & JsonFlag>();
    const { client } = connect(flags, terminal);
    const services = await client.services();
    if (words.length === 0) {
      terminal.print(
        flags.json ? JSON.stringify(services, null, 2) : renderServices(services, terminal.nowMs(), terminal),
      );
      return;
    }
    const ids = new Set(words.map((word) => resolveService(word, services)));
    const details = await Promise.all(Array.from(ids, (id) => client.service(id)));
    const blocks = details.map((detail) => renderService(detail, terminal.nowMs(), terminal));
    terminal.print(flags.json ? JSON.stringify(details, null, 2) : blocks.join("\n\n"));
  });
};
