import type Docker from "dockerode";

/** Everything there is on an engine, by kind; networks by name, since an engine that starts anew makes its own ones anew. */
export type Census = ReadonlySet<string>;

export async function takeCensus(docker: Docker): Promise<Census> {
  const [containers, networks, volumes] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    docker.listVolumes(),
  ]);
  return new Set([
    ...containers.map(({ Id }) => `container ${Id}`),
    ...networks.map(({ Name }) => `network ${Name}`),
    ...volumes.Volumes.map(({ Name }) => `volume ${Name}`),
  ]);
}
