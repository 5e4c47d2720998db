import { readConfig } from "../connection.ts";
import { addDaemonOptions, type DaemonFlags, type GlobalFlags } from "../options.ts";
import { startOwnDaemon } from "../own-daemon.ts";
import { waitUntilReady } from "../readiness.ts";
import { listenForStop } from "../stop-signal.ts";
import type { AddCommand } from "./command.ts";

export const addServe: AddCommand = (program, { terminal, loadDaemonCode }) => {
  const command = program
    .command("serve")
    .description("run the daemon, with the projects it was given before, until it is told to stop");
  addDaemonOptions(command).action(async () => {
    const config = readConfig(command.optsWithGlobals<GlobalFlags & DaemonFlags>(), terminal);
    using stop = listenForStop();
    await using daemon = await startOwnDaemon(await loadDaemonCode(), config);
    try {
      // An engine that is down may take any time to come back; the daemon waits for it.
      await waitUntilReady(daemon.client, { timeoutMs: Number.POSITIVE_INFINITY, signal: stop.signal });
      terminal.print(`flyball is ready at ${daemon.client.address}, its data in ${config.dataDirectory}`);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    await stop.requested;
  });
};
