import { mustRun, runCommand } from "./command.ts";

/*
 * The lab's engines make no firewall rules. But where the machine's own Docker has run, packets that a bridge passes
 * between two containers go through the FORWARD chain, which then drops what nobody accepts.
 */

/** Accepts packets between containers of the engine that has 10.<octet>.0.0/16. May be called again. */
export async function acceptBetweenContainers(octet: number): Promise<void> {
  if (!(await isAccepted(octet))) await mustRun("/usr/sbin/iptables", ["--wait", "-I", ...rule(octet)]);
}

/** Takes back what `acceptBetweenContainers` added. */
export async function forgetContainers(octet: number): Promise<void> {
  while (await isAccepted(octet)) await mustRun("/usr/sbin/iptables", ["--wait", "-D", ...rule(octet)]);
}

async function isAccepted(octet: number): Promise<boolean> {
  return (await runCommand("/usr/sbin/iptables", ["--wait", "-C", ...rule(octet)])).exitCode === 0;
}

function rule(octet: number): string[] {
  const range = `10.${octet}.0.0/16`;
  return ["FORWARD", "-s", range, "-d", range, "-j", "ACCEPT"];
}
