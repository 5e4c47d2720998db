import { Agent, request } from "node:http";
import type { ContainerPlan } from "../../orchestrator/engines/docker/wire.ts";

export interface Inspected {
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** As the engine has completed it, in JSON. */
  readonly hostConfig: string;
}

/** A Docker Engine as it is without Flyball: calls over its socket and nothing beside them. */
export class RawContainers implements Disposable {
  readonly #socketPath: string;
  readonly #agent: Agent;

  /** @param parallelism calls at once */
  constructor(socketPath: string, parallelism: number) {
    this.#socketPath = socketPath;
    this.#agent = new Agent({ keepAlive: true, maxSockets: parallelism });
  }

  /** Creates and starts one. Returns its id. */
  async run({ name, body, seats }: ContainerPlan): Promise<string> {
    const EndpointsConfig = Object.fromEntries(seats.map(({ network, endpoint }) => [network, endpoint]));
    const whole = { ...body, NetworkingConfig: { EndpointsConfig } };
    const path = `/containers/create?name=${encodeURIComponent(name)}`;
    const { Id } = (await this.#call("POST", path, whole)) as { Id: string };
    await this.#call("POST", `/containers/${Id}/start`);
    return Id;
  }

  /** What the engine says of it. */
  async inspect(id: string): Promise<Inspected> {
    const answer = await this.#call("GET", `/containers/${id}/json`);
    const { State, HostConfig } = answer as { State: { StartedAt: string }; HostConfig: unknown };
    return { startedAtMs: Date.parse(State.StartedAt), hostConfig: JSON.stringify(HostConfig) };
  }

  async remove(id: string): Promise<void> {
    await this.#call("DELETE", `/containers/${id}?force=true&v=true`);
  }

  /** Ids of all containers with that label. */
  async withLabel(label: string): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const answer = await this.#call("GET", `/containers/json?all=true&filters=${filters}`);
    return (answer as { Id: string }[]).map(({ Id }) => Id);
  }

  async imageId(reference: string): Promise<string> {
    return ((await this.#call("GET", `/images/${reference}/json`)) as { Id: string }).Id;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #call(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = text === undefined ? {} : { "Content-Type": "application/json" };
    const call = request(
      { socketPath: this.#socketPath, agent: this.#agent, method, path, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString("utf8");
          const { statusCode = 0 } = response;
          if (statusCode >= 400) reject(new Error(`${method} ${path}: ${statusCode} ${answer}`));
          else resolve(answer === "" ? undefined : JSON.parse(answer));
        });
      },
    );
    call.on("error", reject);
    call.end(text);
    return promise;
  }
}
