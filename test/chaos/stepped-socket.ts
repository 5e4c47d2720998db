import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Where in one changing request something strikes: `before` the engine has it · `sent` while the engine works on it ·
 * `answered` when the engine has done it and nobody was told yet.
 */
export const MOMENTS = ["before", "sent", "answered"] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Aim {
  /** From 1, counted from where it was aimed. */
  readonly step: number;
  readonly moment: Moment;
}

/** Long enough for the body of a request, which may come after its head. */
const BODY_MS = 3;
const CHANGE = /^(?:POST|PUT|DELETE) (?:\/v[\d.]+)?(\/\S*)/u;

/**
 * A Unix socket in front of an engine's that counts the requests that change something, and can do away with anything
 * at an exact step of a plan.
 */
export class SteppedSocket {
  readonly path: string;
  readonly #target: string;
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #steps = 0;
  #aim: (Aim & { readonly strike: (request: string) => void }) | undefined;

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  /** Changing requests since it was aimed last. */
  get steps(): number {
    return this.#steps;
  }

  /** At that step `strike` is called once, and the connection is done away with. Without an aim steps are only counted. */
  aim(aim?: Aim, strike: (request: string) => void = () => undefined): void {
    this.#steps = 0;
    this.#aim = aim === undefined ? undefined : { ...aim, strike };
  }

  async join(): Promise<void> {
    const server = createServer((client) => this.#carry(client));
    this.#server = server;
    server.listen(this.path);
    await once(server, "listening");
  }

  /** What is under way is cut off, and nobody can connect until it is joined again. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    rmSync(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.aim();
    await this.cut();
  }

  #carry(client: Socket): void {
    const engine = connect(this.#target);
    let dueAtAnswer: (() => void) | undefined;
    const end = (): void => {
      client.destroy();
      engine.destroy();
    };
    client.on("data", (chunk) => {
      const request = CHANGE.exec(chunk.subarray(0, 300).toString("latin1"))?.[0];
      const due = request === undefined ? undefined : this.#due();
      if (due === undefined || request === undefined) {
        engine.write(chunk);
        return;
      }
      const strike = (): void => {
        due.strike(request);
        end();
      };
      if (due.moment === "before") {
        strike();
        return;
      }
      engine.write(chunk);
      if (due.moment === "sent") void sleep(BODY_MS).then(strike);
      else dueAtAnswer = strike;
    });
    engine.on("data", (chunk) => {
      if (dueAtAnswer === undefined) client.write(chunk);
      else dueAtAnswer();
    });
    for (const [socket, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      this.#open.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("end", () => other.end());
      socket.on("close", () => {
        this.#open.delete(socket);
        other.destroy();
      });
    }
  }

  #due() {
    this.#steps += 1;
    const aim = this.#aim;
    if (aim?.step !== this.#steps) return undefined;
    this.#aim = undefined;
    return aim;
  }
}
