import { setTimeout as sleep } from "node:timers/promises";
import { FlyballError, isFlyballError } from "../../core/errors.ts";
import { formatDuration, MINUTE_MS } from "../../core/units.ts";
import { type Client, isReachable } from "../client.ts";
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
import type { Terminal } from "../terminal.ts";
import type { AddCommand } from "./command.ts";

const READY_TIMEOUT_MS = 30_000;
const ASK_AGAIN_MS = 250;
/** Longer than a replica's grace is likely to be. */
const REMOVAL_TIMEOUT_MS = 15 * MINUTE_MS;

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
      await remove(client, name, terminal);
      return;
    }
    terminal.note(`no daemon answers at ${client.address}: one runs here until ${name} is removed`);
    const listen = { host: "127.0.0.1", port: 0 };
    await using daemon = await startOwnDaemon(await loadDaemonCode(), { ...config, listen });
    await waitUntilReady(daemon.client, { timeoutMs: READY_TIMEOUT_MS });
    await remove(daemon.client, name, terminal);
  });
};

/** Asks until the daemon knows no such project any more: its replicas are gone then, and not only told to go. */
async function remove(client: Client, name: string, terminal: Terminal): Promise<void> {
  terminal.print(renderProjectAnswer(await client.removeProject(name), true, terminal));
  const deadlineMs = performance.now() + REMOVAL_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    await sleep(ASK_AGAIN_MS);
    try {
      await client.removeProject(name);
    } catch (error) {
      if (isFlyballError(error) && error.code === "NOT_FOUND") return;
      throw error;
    }
  }
  throw new FlyballError(
    "NOT_READY",
    `project ${name} is still being removed after ${formatDuration(REMOVAL_TIMEOUT_MS)}; \`flyball ps\` shows what is left`,
  );
}
