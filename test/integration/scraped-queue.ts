import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A program with a queue, whose length it tells whoever scrapes it, in two workers. */
export class Queue implements AsyncDisposable {
  waiting = 12;
  readonly #server = createServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(
      [
        "# TYPE queue_waiting gauge",
        `queue_waiting ${this.waiting}`,
        "# TYPE worker_up gauge",
        'worker_up{worker="a"} 1',
        'worker_up{worker="b"} 1',
        "",
      ].join("\n"),
    );
  });

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The configuration of a Prometheus that scrapes it each second. */
export function scraping(address: string): string {
  return [
    "global: { scrape_interval: 1s, scrape_timeout: 1s }",
    "scrape_configs:",
    "  - job_name: queue",
    `    static_configs: [{ targets: ["${address}"] }]`,
  ].join("\n");
}
