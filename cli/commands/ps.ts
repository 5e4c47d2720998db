import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderService, renderServices } from "../render.ts";
import { renderFailure, renderFailures } from "../render-care.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface PsFlags extends GlobalFlags, JsonFlag {
  readonly failed?: true;
}

export const addPs: AddCommand = (program, { terminal }) => {
  const command = program
    .command("ps")
    .description("show the services, or the replicas of those named")
    .argument("[service...]", "as web, or shop_web where several projects have a web")
    .option("--failed", "those that failed lately, with what they wrote last of the services named");
  addJsonOption(command).action(async (words: string[]) => {
    const flags = command.optsWithGlobals<PsFlags>();
    const { client } = connect(flags, terminal);
    const services = await client.services();
    if (flags.failed === true) {
      const named = words.map((word) => resolveService(word, services));
      const ids = new Set(words.length === 0 ? services.map(({ id }) => id) : named);
      const failures = (await Promise.all(Array.from(ids, (id) => client.failures(id)))).flat();
      const isShort = words.length === 0 || failures.length === 0;
      const text = isShort
        ? renderFailures(failures, terminal)
        : failures.map((failure) => renderFailure(failure, terminal)).join("\n\n");
      terminal.print(flags.json ? JSON.stringify(failures, null, 2) : text);
      return;
    }
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
