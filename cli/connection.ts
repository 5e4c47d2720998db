import { type Config, loadConfig } from "../core/config.ts";
import { addressOf, parseAddress } from "./address.ts";
import { Client } from "./client.ts";
import type { DaemonFlags, GlobalFlags } from "./options.ts";
import type { Terminal } from "./terminal.ts";

export interface Connection {
  readonly config: Config;
  readonly client: Client;
  /** True when a person named the daemon: then no other is started in its place. */
  readonly addressGiven: boolean;
}

/** The settings, and a client of the daemon they lead to. @throws FlyballError CONFIG_INVALID */
export function connect(flags: GlobalFlags & DaemonFlags, terminal: Terminal): Connection {
  const { environment } = terminal;
  const config = readConfig(flags, terminal);
  const given = flags.address ?? (environment["FLYBALL_ADDRESS"] || undefined);
  const address = given === undefined ? addressOf(config.listen) : parseAddress(given);
  return { config, client: clientFor(address, config), addressGiven: given !== undefined };
}

export function readConfig(flags: GlobalFlags & DaemonFlags, terminal: Terminal): Config {
  const settings = { engine: flags.engine, dataDirectory: flags.dataDir, listen: flags.listen };
  return loadConfig(settings, terminal.environment, flags.config);
}

export function clientFor(address: string, config: Config): Client {
  return new Client({ address, ...(config.token === undefined ? {} : { token: config.token }) });
}
