import { readCount } from "../arguments.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderAudit } from "../render.ts";
import type { AddCommand } from "./command.ts";

interface AuditFlags extends GlobalFlags, JsonFlag {
  readonly number: number;
}

export const addAudit: AddCommand = (program, { terminal }) => {
  const command = program
    .command("audit")
    .description("list who changed counts by hand or past Flyball, newest first")
    .option("-n, --number <count>", "how many", readCount, 20);
  addJsonOption(command).action(async () => {
    const flags = command.optsWithGlobals<AuditFlags>();
    const lines = await connect(flags, terminal).client.audit(flags.number);
    terminal.print(flags.json ? JSON.stringify(lines, null, 2) : renderAudit(lines, terminal));
  });
};
