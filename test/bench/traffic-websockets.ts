import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "../integration/traffic-stage.ts";

const LONGEST_LIFE_MS = 6_000;
const WORD_EVERY_MS = 500;
/** The grace is over when the drain says so, a look later than by the clock. */
const GRACE_SLACK_MS = 10;

/** Websockets that open, talk now and then, end by themselves after a while, and are opened again. */
export class Websockets {
  /** Until when a replica that drains may keep them. */
  readonly graceEndsAtMs = new Map<string, number>();
  opened = 0;
  cut = 0;
  endedByGrace = 0;
  readonly #stage: Stage;
  readonly #count: number;
  #isOver = false;
  #all: readonly Promise<void>[] = [];

  constructor(stage: Stage, count: number) {
    this.#stage = stage;
    this.#count = count;
  }

  async start(): Promise<void> {
    this.#all = Array.from({ length: this.#count }, (_, index) => this.#keep(index));
    await this.#stage.until(() => this.opened >= this.#count);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#all);
  }

  async #keep(index: number): Promise<void> {
    // Lives of every length, the same in each run.
    for (let round = 0; !this.#isOver; round += 1) {
      await this.#live(500 + ((index * 37 + round * 911) % LONGEST_LIFE_MS));
    }
  }

  async #live(lifeMs: number): Promise<void> {
    const socket = await this.#open();
    if (socket === undefined) {
      this.cut += 1;
      await sleep(100);
      return;
    }
    let replica = "";
    let isMine = false;
    socket.on("data", (data) => {
      replica =
        data
          .toString("utf8")
          .slice(-10)
          .match(/web-\d+$/)?.[0] ?? replica;
    });
    const closed = once(socket, "close");
    socket.write("who");
    const talking = setInterval(() => socket.write("who"), WORD_EVERY_MS);
    const end = setTimeout(() => {
      isMine = true;
      socket.destroy();
    }, lifeMs);
    await closed;
    clearInterval(talking);
    clearTimeout(end);
    if (isMine) return;
    const graceEndsAtMs = this.graceEndsAtMs.get(replica) ?? Number.POSITIVE_INFINITY;
    if (Date.now() >= graceEndsAtMs - GRACE_SLACK_MS) this.endedByGrace += 1;
    else this.cut += 1;
  }

  async #open(): Promise<Socket | undefined> {
    const socket = connect(this.#stage.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    const head = await Promise.race([
      once(socket, "data").then(([data]) => String(data)),
      once(socket, "close").then(() => ""),
    ]);
    if (!head.startsWith("HTTP/1.1 101")) {
      socket.destroy();
      return undefined;
    }
    this.opened += 1;
    return socket;
  }
}
