import { FlyballError } from "../../core/errors.ts";
import { readCount } from "../arguments.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderDecisions, renderVerification } from "../render.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface DecisionsFlags extends GlobalFlags, JsonFlag {
  readonly number: number;
  readonly changes?: true;
  readonly verify?: true;
}

export const addDecisions: AddCommand = (program, { terminal }) => {
  const command = program
    .command("decisions")
    .description("list the decisions about a service, newest first")
    .argument("<service>")
    .option("-n, --number <count>", "how many", readCount, 20)
    .option("--changes", "only those that changed the replicas")
    .option("--verify", "decide again on all that is recorded, and compare");
  addJsonOption(command).action(async (word: string) => {
    const flags = command.optsWithGlobals<DecisionsFlags>();
    const { client } = connect(flags, terminal);
    const id = resolveService(word, await client.services());
    if (flags.verify === true) {
      const verification = await client.verifyDecisions(id);
      if (verification === undefined) {
        throw new FlyballError("DAEMON_UNREACHABLE", `the daemon at ${client.address} cannot verify`);
      }
      terminal.print(
        flags.json ? JSON.stringify(verification, null, 2) : renderVerification(id, verification),
      );
      if (verification.identical === verification.recorded) return;
      const message = `recorded evaluations of ${id} come out otherwise now: they were recorded by another version, or this is a defect`;
      throw new FlyballError("INTERNAL", message);
    }
    const query = { limit: flags.number, changesOnly: flags.changes ?? false };
    const decisions = await client.decisions(id, query);
    terminal.print(flags.json ? JSON.stringify(decisions, null, 2) : renderDecisions(decisions, terminal));
  });
};
