import { request } from "node:http";

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request to an engine over its Unix socket. Rejects when it does not answer within `timeoutMs`. */
export function callApi(
  socketPath: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  options: { body?: Buffer; timeoutMs?: number } = {},
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath, method, path, agent: false, signal: AbortSignal.timeout(options.timeoutMs ?? 5_000) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    call.on("error", reject);
    if (options.body !== undefined) call.setHeader("Content-Type", "application/x-tar");
    call.end(options.body);
  });
}

/** What the engine says it is, or undefined when it does not answer. */
export async function readVersion(
  socketPath: string,
): Promise<{ version: string; apiVersion: string } | undefined> {
  try {
    const { status, body } = await callApi(socketPath, "GET", "/version", { timeoutMs: 2_000 });
    if (status !== 200) return undefined;
    const { Version, ApiVersion } = JSON.parse(body) as { Version: string; ApiVersion: string };
    return { version: Version, apiVersion: ApiVersion };
  } catch {
    return undefined;
  }
}
