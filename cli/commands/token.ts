import { Option } from "commander";
import { SCOPES, type Scope } from "../../core/wire-access.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderTokens } from "../render-access.ts";
import type { AddCommand } from "./command.ts";

interface CreateFlags extends GlobalFlags {
  readonly scope: Scope;
  readonly expires?: string;
}

/** `token create`, `token ls` and `token revoke`. */
export const addToken: AddCommand = (program, { terminal }) => {
  const tokens = program.command("token").description("make, list and revoke tokens of the API");

  const create = tokens
    .command("create")
    .description("make a token and print it: it is told once and kept nowhere")
    .argument("<name>")
    .addOption(new Option("--scope <scope>", "what it is good for").choices(SCOPES).default("read"))
    .option("--expires <duration>", "for how long it is good, as 90d (default: until it is revoked)")
    .action(async (name: string) => {
      const { scope, expires, ...flags } = create.optsWithGlobals<CreateFlags>();
      const request = { name, scope, ...(expires === undefined ? {} : { expires }) };
      terminal.print((await connect(flags, terminal).client.createToken(request)).token);
    });

  const list = tokens.command("ls").description("list tokens, without the tokens themselves");
  addJsonOption(list).action(async () => {
    const flags = list.optsWithGlobals<GlobalFlags & JsonFlag>();
    const all = await connect(flags, terminal).client.tokens();
    terminal.print(flags.json ? JSON.stringify(all, null, 2) : renderTokens(all, terminal));
  });

  const revoke = tokens
    .command("revoke")
    .description("make tokens worthless, at once")
    .argument("<name...>")
    .action(async (names: string[]) => {
      const { client } = connect(revoke.optsWithGlobals<GlobalFlags>(), terminal);
      for (const name of names) {
        await client.revokeToken(name);
        terminal.print(`${name} is revoked`);
      }
    });
};
