import { mustRun, runCommand } from "./command.ts";

/** A network interface and the IPv4 addresses it has. */
interface Interface {
  readonly name: string;
  readonly isBridge: boolean;
  readonly addresses: readonly string[];
}

/** Each engine has 10.<octet>.0.0/16 for itself: the lower half for its default network, the upper for those it makes. */
export function networkPlan(octet: number): { bridgeAddress: string; pool: string } {
  return { bridgeAddress: `10.${octet}.0.1/24`, pool: `10.${octet}.128.0/17` };
}

const OCTETS = Array.from({ length: 50 }, (_, index) => 201 + index);

/** Makes a bridge in the first of these ranges that no interface of the machine uses. */
export async function createBridge(
  octets: readonly number[] = OCTETS,
): Promise<{ bridge: string; octet: number }> {
  const interfaces = await listInterfaces();
  for (const octet of octets) {
    const isTaken = interfaces.some(({ addresses }) => addresses.some((address) => isIn(octet, address)));
    const bridge = `flyball${octet}`;
    // Another lab may be taking the same range now: making the interface settles who has it.
    if (isTaken || (await runCommand("ip", ["link", "add", "name", bridge, "type", "bridge"])).exitCode !== 0)
      continue;
    await mustRun("ip", ["address", "add", networkPlan(octet).bridgeAddress, "dev", bridge]);
    await mustRun("ip", ["link", "set", bridge, "up"]);
    return { bridge, octet };
  }
  const first = `10.${octets[0]}.0.0/16`;
  throw new Error(
    `no free network for a lab engine: ${first} and ${octets.length - 1} more after it are in use`,
  );
}

/** Removes the engine's bridge and those that it made and left, known by their addresses. */
export async function removeBridges(octet: number): Promise<void> {
  for (const { name, isBridge, addresses } of await listInterfaces()) {
    if (isBridge && addresses.some((address) => isIn(octet, address)))
      await mustRun("ip", ["link", "delete", name]);
  }
}

function isIn(octet: number, address: string): boolean {
  return address.startsWith(`10.${octet}.`);
}

async function listInterfaces(): Promise<Interface[]> {
  const links = JSON.parse(await mustRun("ip", ["-json", "-details", "address"])) as {
    ifname: string;
    linkinfo?: { info_kind?: string };
    addr_info?: { local?: string }[];
  }[];
  return links.map((link) => ({
    name: link.ifname,
    isBridge: link.linkinfo?.info_kind === "bridge",
    addresses: (link.addr_info ?? []).flatMap(({ local }) => local ?? []),
  }));
}
