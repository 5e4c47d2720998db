import { FlyballError } from "../../../core/errors.ts";

const DEFAULT_SOCKET = "/var/run/docker.sock";

/** Where to look for an engine; `host` in the forms of `DOCKER_HOST`. */
export interface AddressOptions {
  readonly socketPath?: string;
  readonly host?: string;
}

export type EngineAddress =
  | { readonly kind: "socket"; readonly socketPath: string; readonly text: string }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
      readonly text: string;
    };

/** @throws FlyballError CONFIG_INVALID for a form that is not understood */
export function engineAddress({ socketPath, host }: AddressOptions): EngineAddress {
  if (socketPath !== undefined) return socketAddress(socketPath);
  if (host === undefined || host === "") return socketAddress(DEFAULT_SOCKET);
  if (host.startsWith("unix://")) return socketAddress(host.slice("unix://".length) || DEFAULT_SOCKET);
  const url = URL.parse(host);
  if (url === null || url.hostname === "" || !["tcp:", "https:"].includes(url.protocol)) {
    throw new FlyballError(
      "CONFIG_INVALID",
      `Docker host: expected unix:///path/docker.sock, tcp://host:port or https://host:port, got ${JSON.stringify(host)}`,
    );
  }
  const secure = url.protocol === "https:" || url.port === "2376";
  const port = Number(url.port || (secure ? 2376 : 2375));
  return { kind: "tcp", host: url.hostname, port, secure, text: `${url.protocol}//${url.hostname}:${port}` };
}

function socketAddress(socketPath: string): EngineAddress {
  return { kind: "socket", socketPath, text: `unix://${socketPath}` };
}
