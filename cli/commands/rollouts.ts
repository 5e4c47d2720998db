import type { RolloutAnswer } from "../../core/wire-rollouts.ts";
import type { Client } from "../client.ts";
import { connect } from "../connection.ts";
import { addJsonOption, type GlobalFlags, type JsonFlag } from "../options.ts";
import { resolveService } from "../service-name.ts";
import { printable } from "../terminal.ts";
import type { AddCommand } from "./command.ts";

/** `flyball rollouts`, `rollback` and `resume-rollout`. */
export const addRollouts: AddCommand = (program, { terminal }) => {
  const list = program
    .command("rollouts")
    .description("show how far the rollout of each service is, or where the last one ended");
  addJsonOption(list).action(async () => {
    const flags = list.optsWithGlobals<GlobalFlags & JsonFlag>();
    const rollouts = await connect(flags, terminal).client.rollouts();
    if (flags.json) terminal.print(JSON.stringify(rollouts, null, 2));
    else if (rollouts.length === 0) terminal.print("no service has had a rollout");
    else terminal.print(rollouts.map(renderRollout).join("\n"));
  });

  const changes: readonly [
    name: string,
    does: string,
    change: (client: Client, id: string) => Promise<RolloutAnswer>,
  ][] = [
    [
      "rollback",
      "go back to the last healthy definition of a service; its count stays",
      (client, id) => client.rollback(id),
    ],
    ["resume-rollout", "try the paused rollout of a service again", (client, id) => client.resumeRollout(id)],
  ];
  for (const [name, description, change] of changes) {
    const command = program
      .command(name)
      .description(description)
      .argument("<service>", "its name, or project_service")
      .action(async (service: string) => {
        const { client } = connect(command.optsWithGlobals<GlobalFlags>(), terminal);
        terminal.print(renderRollout(await change(client, resolveService(service, await client.services()))));
      });
  }
};

export function renderRollout({ service, sentence }: RolloutAnswer): string {
  return printable(`${service}: ${sentence}`);
}
