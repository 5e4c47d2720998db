import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, get, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import type { ObservedReplica, Service, TrafficPolicy, TrafficReading } from "../../core/types.ts";
import { isAlive } from "../../traffic/haproxy/alive.ts";
import type { Processes } from "../../traffic/haproxy/answers.ts";
import { leftMaster } from "../../traffic/haproxy/process.ts";
import { Traffic, type TrafficUpdate } from "../../traffic/traffic.ts";
import { freePort } from "../lab/free-port.ts";
import { door, service } from "../traffic/builders.ts";
import type { BalancerProgram } from "./traffic-balancers.ts";

/** The pair of RFC 6455; HAProxy checks that they belong together. */
const WEBSOCKET = { key: "dGhlIHNhbXBsZSBub25jZQ==", accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" };
const PATIENCE_MS = 30_000;

/** A program that serves, and what an engine would tell of it. */
export class Replica implements AsyncDisposable {
  readonly service: string;
  readonly id: string;
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  state: ObservedReplica["state"] = "running";
  /** Requests that came. */
  requests = 0;

  private constructor(service: string, id: string) {
    this.service = service;
    this.id = id;
    this.server = createServer((request, response) => {
      this.requests += 1;
      const waitMs = Number(/^\/slow\/(\d+)/.exec(request.url ?? "")?.[1] ?? 0);
      const status = request.url?.startsWith("/fail") === true ? 500 : 200;
      const answer = () => response.writeHead(status, { "content-type": "text/plain" }).end(this.id);
      if (request.url?.startsWith("/never") === true) return;
      if (waitMs > 0) setTimeout(answer, waitMs);
      else answer();
    });
    // Longer than HAProxy keeps an idle connection, so that it is never the server that closes first.
    this.server.keepAliveTimeout = 120_000;
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    // The echo of a websocket, without its frames.
    this.server.on("upgrade", (_, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${WEBSOCKET.accept}\r\n\r\n`,
      );
      socket.on("data", (data) => socket.write(data));
      socket.on("end", () => socket.end());
      socket.on("error", () => {});
    });
  }

  static async start(service: string, id: string): Promise<Replica> {
    const replica = new Replica(service, id);
    replica.server.listen(0, "127.0.0.1");
    await once(replica.server, "listening");
    return replica;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  observed(): ObservedReplica {
    return {
      id: this.id,
      project: "shop",
      service: this.service,
      slot: 1,
      name: this.id,
      state: this.state,
      origin: "flyball",
      endpoints: [{ targetPort: 80, host: "127.0.0.1", port: this.port }],
      notEnforced: [],
    };
  }

  /** As a crash does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, "close");
    this.server.close();
    this.server.closeAllConnections();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

export function serviceWith(id: string, traffic: Partial<TrafficPolicy> = {}): Service {
  return service(id, [door()], traffic);
}

/** One Traffic with its balancer, the services and replicas that it is told of, and a client. */
export class Stage implements AsyncDisposable {
  readonly dataDirectory = mkdtempSync(join(tmpdir(), "flyball-traffic-"));
  readonly port: number;
  readonly program: BalancerProgram;
  readonly agent = new Agent({ keepAlive: true });
  services: Service[] = [];
  replicas: Replica[] = [];
  traffic: Traffic;

  private constructor(program: BalancerProgram, port: number) {
    this.program = program;
    this.port = port;
    this.traffic = this.newTraffic();
  }

  static async open(program: BalancerProgram): Promise<Stage> {
    const stage = new Stage(program, await freePort());
    stage.traffic.start();
    return stage;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  newTraffic(): Traffic {
    return new Traffic({
      dataDirectory: this.dataDirectory,
      http: { host: "127.0.0.1", port: this.port },
      haproxy: this.program.path,
      clock: systemClock,
      log: createLog(process.env["TRAFFIC_LOG"] === "1" ? "info" : "silent"),
    });
  }

  /** One service `shop_web` with so many replicas, all serving. */
  async serve(count: number, traffic?: Partial<TrafficPolicy>): Promise<Replica[]> {
    this.services = [serviceWith("shop_web", traffic)];
    for (let index = 0; index < count; index += 1) await this.add(`web-${index + 1}`);
    this.tell();
    await this.until(() => this.open().then((open) => open.length === count));
    return this.replicas;
  }

  async add(id: string, service = "shop_web"): Promise<Replica> {
    const replica = await Replica.start(service, id);
    this.replicas.push(replica);
    return replica;
  }

  /** It is gone for the engine, and then for good. */
  async remove(replica: Replica): Promise<void> {
    this.replicas = this.replicas.filter((other) => other !== replica);
    this.tell();
    await replica[Symbol.asyncDispose]();
  }

  tell(changes: Partial<TrafficUpdate> = {}): void {
    const replicas = this.replicas.map((replica) => replica.observed());
    this.traffic.update({ services: this.services, replicas, complete: true, ...changes });
  }

  /** Of the service, as a whole. */
  reading(service = "shop_web"): TrafficReading | undefined {
    return this.traffic.readings().find((one) => one.service === service && one.replica === undefined);
  }

  /** Servers of the balancer that take requests. */
  async open(): Promise<string[]> {
    const { servers } = await this.traffic.running().catch(() => ({ servers: [] }));
    return servers.flatMap(({ name, open }) => (open ? [name] : []));
  }

  /** Of HAProxy, when they answer: after a start the master is deaf for a moment. */
  async processes(): Promise<Processes> {
    let found: Processes | undefined;
    await this.until(async () => {
      found = await this.traffic.processes().catch(() => undefined);
      return found !== undefined;
    });
    if (found === undefined) throw new Error("no processes");
    return found;
  }

  /** Status and body; on a connection of its own unless an agent says otherwise. */
  async get(
    path = "/",
    options: { host?: string; agent?: Agent; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; body: string; headers: IncomingMessage["headers"] }> {
    const headers = { ...options.headers, ...(options.host === undefined ? {} : { host: options.host }) };
    const request = get(`${this.url}${path}`, { agent: options.agent ?? false, headers });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += chunk;
    return { status: response.statusCode ?? 0, body, headers: response.headers };
  }

  async websocket(path = "/socket"): Promise<Websocket> {
    const socket = connect(this.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
        `${WEBSOCKET.key}\r\n\r\n`,
    );
    const [head] = (await once(socket, "data")) as [Buffer];
    if (!head.toString().startsWith("HTTP/1.1 101")) throw new Error(`no websocket: ${head}`);
    return new Websocket(socket);
  }

  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > deadlineMs) {
        throw new Error(`waited in vain: ${condition}; ${JSON.stringify(this.traffic.status())}`);
      }
      await sleep(10);
    }
  }

  /** Nothing of it is left, HAProxy least of all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.traffic[Symbol.asyncDispose]();
    this.agent.destroy();
    const pid = leftMaster(join(this.dataDirectory, "traffic"));
    if (pid !== undefined) {
      process.kill(pid, "SIGKILL");
      await this.until(() => !isAlive(pid));
    }
    await Promise.all(this.replicas.map((replica) => replica[Symbol.asyncDispose]()));
    rmSync(this.dataDirectory, { recursive: true, force: true });
  }
}

export class Websocket {
  readonly #socket: Socket;
  isOpen = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("close", () => {
      this.isOpen = false;
    });
    socket.on("error", () => {});
  }

  /** True: what is sent comes back. */
  async echoes(): Promise<boolean> {
    if (!this.isOpen) return false;
    const answered = once(this.#socket, "data", { signal: AbortSignal.timeout(5_000) });
    this.#socket.write("hello");
    return await answered.then(
      () => true,
      () => false,
    );
  }

  close(): void {
    this.#socket.destroy();
  }
}
