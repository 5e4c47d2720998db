import { type Client, isReachable } from "../client.ts";
import { connect } from "../connection.ts";
import type { DaemonCode, ReadProject } from "../daemon-door.ts";
import { startDetached } from "../detach.ts";
import {
  addComposeOptions,
  addDaemonOptions,
  type ComposeFlags,
  type DaemonFlags,
  type GlobalFlags,
} from "../options.ts";
import { startOwnDaemon } from "../own-daemon.ts";
import { noteNewDiagnostics, readProject } from "../project.ts";
import { waitUntilReady } from "../readiness.ts";
import { renderProjectAnswer } from "../render.ts";
import { listenForStop } from "../stop-signal.ts";
import type { Terminal } from "../terminal.ts";
import { renderVerdicts, verdictsOn } from "../verdict.ts";
import type { AddCommand } from "./command.ts";

interface UpFlags extends GlobalFlags, DaemonFlags, ComposeFlags {
  readonly detach?: true;
}

const READY_TIMEOUT_MS = 30_000;

export const addUp: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("up")
    .description("give the compose files to the daemon; where none runs, run it here");
  addComposeOptions(command);
  addDaemonOptions(command)
    .option("-d, --detach", "start the daemon in the background")
    .action(async () => {
      const flags = command.optsWithGlobals<UpFlags>();
      const { client, config, addressGiven } = connect(flags, terminal);
      const code = await loadDaemonCode();
      const project = await readProject(flags, code, terminal);
      if (addressGiven || (await isReachable(client))) {
        if (flags.engine !== undefined || flags.dataDir !== undefined) {
          terminal.note(
            `a daemon runs at ${client.address}: its own engine and data directory stay as they are`,
          );
        }
        await handOver(client, code, project, terminal);
      } else if (flags.detach) {
        const { pid, logFile } = await startDetached(config, flags, client, terminal);
        terminal.note(`flyball runs at ${client.address} as process ${pid}, its log in ${logFile}`);
        await handOver(client, code, project, terminal);
      } else await runHere(code, config, project, flags, terminal);
    });
};

async function runHere(
  code: DaemonCode,
  config: Parameters<typeof startOwnDaemon>[1],
  project: ReadProject,
  flags: DaemonFlags,
  terminal: Terminal,
): Promise<void> {
  using stop = listenForStop();
  {
    await using daemon = await startOwnDaemon(code, config);
    try {
      await handOver(daemon.client, code, project, terminal, stop.signal);
      terminal.note(`flyball is ready at ${daemon.client.address}; Ctrl-C stops it, and leaves the replicas`);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    await stop.requested;
  }
  const dataDirectory = flags.dataDir === undefined ? "" : ` --data-dir ${shellQuoted(flags.dataDir)}`;
  terminal.note(
    `flyball stopped; the replicas of ${project.name} stay. They are removed with: flyball down -p ${project.name}${dataDirectory}`,
  );
}

async function handOver(
  client: Client,
  code: DaemonCode,
  project: ReadProject,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<void> {
  await waitUntilReady(client, {
    timeoutMs: READY_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  await showVerdicts(client, code, project, terminal);
  const answer = await client.applyProject(project.name, project.request);
  noteNewDiagnostics(answer, project, terminal);
  terminal.print(renderProjectAnswer(answer, true, terminal));
}

/** What other labels would have made of what is running already. */
async function showVerdicts(
  client: Client,
  code: DaemonCode,
  { name, request }: ReadProject,
  terminal: Terminal,
): Promise<void> {
  const services = await client.services();
  if (!services.some(({ project }) => project === name)) return;
  const { scalingChanges = [] } = await client.planProject(name, request);
  const verdicts = await verdictsOn(scalingChanges, client, code, terminal.nowMs());
  if (verdicts.length > 0) terminal.print(renderVerdicts(verdicts).join("\n"));
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
