import { readCount } from "../arguments.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderDecisions } from "../render.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface DecisionsFlags extends GlobalFlags, JsonFlag {
  readonly number: number;
  readonly changes?: true;
}

export const addDecisions: AddCommand = (program, { terminal }) => {
  const command = program
    .command("decisions")
    .description("list the decisions about a service, newest first")
    .argument("<service>")
    .option("-n, --number <count>", "how many", readCount, 20)
    .option("--changes", "only those that changed the replicas");
  addJsonOption(command).action(async (word: string) => {
    const flags = command.optsWithGlobals<DecisionsFlags>();
    const { client } = connect(flags, terminal);
    const id = resolveService(word, await client.services());
    const query = { limit: flags.number, changesOnly: flags.changes ?? false };
    const decisions = await client.decisions(id, query);
    terminal.print(flags.json ? JSON.stringify(decisions, null, 2) : renderDecisions(decisions, terminal));
  });
};
