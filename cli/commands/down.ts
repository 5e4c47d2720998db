import { isReachable } from "../client.ts";
import { connect } from "../connection.ts";
import {
  addComposeOptions,
  addDaemonOptions,
  type ComposeFlags,
  type DaemonFlags,
  type GlobalFlags,
} from "../options.ts";
import { startOwnDaemon } from "../own-daemon.ts";
import { readProject } from "../project.ts";
import { waitUntilReady } from "../readiness.ts";
import { renderProjectAnswer } from "../render.ts";
import type { AddCommand } from "./command.ts";

const READY_TIMEOUT_MS = 30_000;

export const addDown: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("down")
    .description("stop and remove the replicas of a project, and forget it");
  addComposeOptions(command);
  addDaemonOptions(command).action(async () => {
    const flags = command.optsWithGlobals<GlobalFlags & DaemonFlags & ComposeFlags>();
    const { client, config, addressGiven } = connect(flags, terminal);
    const name = flags.projectName ?? (await readProject(flags, await loadDaemonCode(), terminal)).name;
    if (addressGiven || (await isReachable(client))) {
      terminal.print(renderProjectAnswer(await client.removeProject(name), true, terminal));
      return;
    }
    terminal.note(`no daemon answers at ${client.address}: one runs here until ${name} is removed`);
    const listen = { host: "127.0.0.1", port: 0 };
    await using daemon = await startOwnDaemon(await loadDaemonCode(), { ...config, listen });
    await waitUntilReady(daemon.client, { timeoutMs: READY_TIMEOUT_MS });
    terminal.print(renderProjectAnswer(await daemon.client.removeProject(name), true, terminal));
  });
};
