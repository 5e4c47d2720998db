import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";

const PATIENCE_MS = 60_000;

/** Removes every container and network with these labels, and waits until the engine has none of them any more. */
export async function clearAway(docker: Docker, filters: { label: string[] }): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const containers = await docker.listContainers({ all: true, filters });
    // What somebody has begun to remove is on its way already, and refuses another removal.
    await Promise.allSettled(
      containers.map(({ Id }) => docker.getContainer(Id).remove({ v: true, force: true })),
    );
    const networks = await docker.listNetworks({ filters });
    const refusals = await Promise.allSettled(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
    if (containers.length + networks.length === 0) return;
    if (performance.now() > deadlineMs) {
      const names = [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
      throw new Error(`the engine keeps ${names.join(", ")}: ${JSON.stringify(refusals)}`);
    }
    await sleep(50);
  }
}
