import type { Command } from "../changes.ts";
import { addressText } from "../table.ts";

/** From the ranges that lead nowhere. */
const NOWHERE = { ipv4: "127.255.255.254:1", ipv6: "[100::1]:1" } as const;

/** The command as the lines that HAProxy understands. */
export function runtimeLines(command: Command): readonly string[] {
  const name = `${command.backend}/${command.server}`;
  switch (command.kind) {
    case "add": {
      const { host, port, weight, sticky } = command;
      if (!sticky) return [`add server ${name} ${addressText(host, port)} weight ${weight}`];
      // HAProxy 2.6 computes the cookie of a server that is added only when its address changes.
      const nowhere = host.includes(":") ? NOWHERE.ipv6 : NOWHERE.ipv4;
      return [
        `add server ${name} ${nowhere} weight ${weight}`,
        `set server ${name} addr ${host} port ${port}`,
      ];
    }
    case "move":
      return [`set server ${name} addr ${command.host} port ${command.port}`];
    case "weigh":
      return [`set server ${name} weight ${command.weight}`];
    case "open":
      return [`set server ${name} state ready`];
    case "close":
      return [`set server ${name} state maint`];
    case "forget":
      return [`del server ${name}`];
  }
}
