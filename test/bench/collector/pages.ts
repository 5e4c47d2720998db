import { Agent, get } from "node:http";

export interface PageReading {
  readonly ms: number;
  /** As it came over the wire. */
  readonly bytes: number;
  readonly body: Buffer;
}

const agent = new Agent({ keepAlive: true });

/** One GET of a page, whole. */
export function getPage(url: string, encoding: "identity" | "gzip" = "identity"): Promise<PageReading> {
  const { promise, resolve, reject } = Promise.withResolvers<PageReading>();
  const startedAtMs = performance.now();
  const call = get(url, { agent, headers: { "Accept-Encoding": encoding } }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const body = Buffer.concat(chunks);
      if (response.statusCode !== 200) reject(new Error(`${url}: status ${response.statusCode}`));
      else resolve({ ms: performance.now() - startedAtMs, bytes: body.length, body });
    });
  });
  call.on("error", reject);
  return promise;
}

/** Lines of a page that are samples. */
export function samplesIn(page: Buffer): number {
  return page
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#")).length;
}
