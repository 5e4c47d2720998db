import type { Config } from "../core/config.ts";
import { createLog } from "../core/log.ts";
import { addressOf } from "./address.ts";
import type { Client } from "./client.ts";
import { clientFor } from "./connection.ts";
import type { DaemonCode } from "./daemon-door.ts";

/** A daemon that runs in this process, asked over its API as any other. */
export interface OwnDaemon extends AsyncDisposable {
  readonly client: Client;
}

export async function startOwnDaemon(code: DaemonCode, config: Config): Promise<OwnDaemon> {
  const daemon = await code.startDaemon({ config, log: createLog(config.logLevel) });
  return {
    client: clientFor(addressOf(daemon.address), config),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}
