import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { renderLogs } from "../render-jobs.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface LogsFlags extends GlobalFlags, JsonFlag {
  readonly run?: string;
  readonly lines: string;
}

export const addLogs: AddCommand = (program, { terminal }) => {
  const command = program
    .command("logs")
    .description(
      "show what the replicas of a service wrote last, or the tasks of a job's run; secrets are masked",
    )
    .argument("<service>", "its name, or project_service")
    .option("--run <run>", "of a job: which run, as flyball jobs names it (default: the newest)")
    .option("--lines <lines>", "so many of each", "200");
  addJsonOption(command).action(async (service: string) => {
    const flags = command.optsWithGlobals<LogsFlags>();
    const { client } = connect(flags, terminal);
    const id = resolveService(service, await client.services());
    const logs = await client.logs(id, { run: flags.run, lines: flags.lines });
    terminal.print(flags.json ? JSON.stringify(logs, null, 2) : renderLogs(logs, terminal));
  });
};
