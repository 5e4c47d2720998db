import { BlockList, isIP } from "node:net";

/** Where a server listens; port 0 asks the system for a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True when only this machine can reach the host. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** The host as it stands in a URL or a Host header: `[::1]`, `127.0.0.1`, `localhost`. */
export function hostInUrl(host: string): string {
  return (isIP(host) === 6 ? `[${host}]` : host).toLowerCase();
}

/** `127.0.0.1:7070`, `[::1]:7070`. */
export function formatAddress(address: ListenAddress): string {
  return `${hostInUrl(address.host)}:${address.port}`;
}
