import { readInstantMs } from "../arguments.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { resolveService } from "../service-name.ts";
import { printable } from "../terminal.ts";
import type { AddCommand } from "./command.ts";

interface ExplainFlags extends GlobalFlags, JsonFlag {
  readonly at?: number;
}

export const addExplain: AddCommand = (program, { terminal }) => {
  const command = program
    .command("explain")
    .description("tell why a service has the replicas it has, or had at an instant")
    .argument("<service>")
    .option("--at <time>", "as 2026-11-21T08:00:00Z, or how long ago, as 10m", (text) =>
      readInstantMs(text, terminal.nowMs()),
    );
  addJsonOption(command).action(async (word: string) => {
    const flags = command.optsWithGlobals<ExplainFlags>();
    const { client } = connect(flags, terminal);
    const id = resolveService(word, await client.services());
    const explanation = await client.explain(id, flags.at);
    terminal.print(
      flags.json ? JSON.stringify(explanation, null, 2) : explanation.lines.map(printable).join("\n"),
    );
  });
};
