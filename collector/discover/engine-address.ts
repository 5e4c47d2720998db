import { existsSync } from "node:fs";
import { join } from "node:path";
import { FlyballError } from "../../core/errors.ts";

export type EngineAddress =
  | { readonly kind: "socket"; readonly socketPath: string; readonly text: string }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly text: string;
    };

const DOCKER_SOCKET = "/var/run/docker.sock";
const PLAIN_PORT = 2375;
const SECURE_PORT = 2376;

/**
 * Where the engine is: as `DOCKER_HOST` says it, else the first socket that is there of Docker, rootless Docker, Podman
 * and rootless Podman. @throws FlyballError CONFIG_INVALID for a form that is not understood
 */
export function engineAddress(host: string | undefined, runtimeDirectory: string | undefined): EngineAddress {
  if (host === undefined || host === "") return socketAddress(firstSocket(runtimeDirectory));
  if (host.startsWith("/")) return socketAddress(host);
  if (host.startsWith("unix://")) return socketAddress(host.slice("unix://".length) || DOCKER_SOCKET);
  const url = URL.parse(host);
  if (url === null || url.hostname === "" || !["tcp:", "http:", "https:"].includes(url.protocol)) {
    throw new FlyballError(
      "CONFIG_INVALID",
      `Docker host: expected unix:///path/docker.sock, tcp://host:port or https://host:port, got ${JSON.stringify(host)}`,
    );
  }
  const secure = url.protocol === "https:" || url.port === String(SECURE_PORT);
  const port = Number(url.port || (secure ? SECURE_PORT : PLAIN_PORT));
  return { kind: "tcp", host: url.hostname, port, secure, text: `${url.protocol}//${url.hostname}:${port}` };
}

function firstSocket(runtimeDirectory: string | undefined): string {
  const own = runtimeDirectory === undefined || runtimeDirectory === "" ? undefined : runtimeDirectory;
  const candidates = [
    DOCKER_SOCKET,
    ...(own === undefined ? [] : [join(own, "docker.sock")]),
    "/run/podman/podman.sock",
    ...(own === undefined ? [] : [join(own, "podman/podman.sock")]),
  ];
  return candidates.find((path) => existsSync(path)) ?? DOCKER_SOCKET;
}

function socketAddress(socketPath: string): EngineAddress {
  return { kind: "socket", socketPath, text: `unix://${socketPath}` };
}
