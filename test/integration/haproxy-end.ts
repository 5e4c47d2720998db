import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../traffic/haproxy/alive.ts";
import type { FlyballHouse } from "./flyball-daemon.ts";

/** Ends the HAProxy that a story has left running because it ended early. */
export function endHaproxy(house: FlyballHouse): void {
  try {
    const pid = Number(readFileSync(join(house.dataDirectory, "traffic", "haproxy.pid"), "utf8"));
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  } catch {
    // It was never started, or has ended with its last service.
  }
}
