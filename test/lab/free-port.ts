import { randomInt } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Beside those that the process engine gives to replicas, which begin at 20,000. */
const PORTS: readonly (readonly [number, number])[] = [
  [10_000, 19_999],
  [30_000, 65_535],
  [1_024, 9_999],
];

/**
 * A port of loopback that nobody listens on, and that the kernel gives to no outgoing connection: who is killed and
 * started again finds it free still.
 */
export async function freePort(): Promise<number> {
  const [first, last] = quietPorts();
  for (;;) {
    const port = randomInt(first, last + 1);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

function quietPorts(): readonly [number, number] {
  const [from = 0, to = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  const whole = PORTS.find(([first, last]) => last < from || first > to);
  if (whole !== undefined) return whole;
  // Where the kernel takes nearly all of them, what it leaves is the best there is.
  return to < 65_000 ? [to + 1, 65_535] : [1_024, Math.max(from - 1, 2_048)];
}
