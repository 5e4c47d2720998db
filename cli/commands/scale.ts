import { readScaleTarget, type ScaleTarget } from "../arguments.ts";
import { connect } from "../connection.ts";
import type { GlobalFlags } from "../options.ts";
import { renderScale } from "../render.ts";
import { resolveService } from "../service-name.ts";
import type { AddCommand } from "./command.ts";

interface ScaleFlags extends GlobalFlags {
  readonly reason?: string;
  readonly for?: string;
}

export const addScale: AddCommand = (program, { terminal }) => {
  const command = program
    .command("scale")
    .description("set how many replicas services have, within their bounds")
    .argument("<service=n...>", "as web=3", readScaleTarget)
    .option("--reason <text>", "why; written to the log with the change")
    .option("--for <duration>", "how long the count stays whatever the rules want, as 30m")
    .action(async (targets: ScaleTarget[]) => {
      const flags = command.optsWithGlobals<ScaleFlags>();
      const { client } = connect(flags, terminal);
      const services = await client.services();
      // Every name is understood before anything changes.
      const resolved = targets.map(({ service, replicas }) => ({
        id: resolveService(service, services),
        replicas,
      }));
      const { reason, for: hold } = flags;
      const how = {
        ...(reason === undefined ? {} : { reason }),
        ...(hold === undefined ? {} : { for: hold }),
      };
      for (const { id, replicas } of resolved) {
        terminal.print(renderScale(await client.scale(id, { replicas, ...how })));
      }
    });
};
