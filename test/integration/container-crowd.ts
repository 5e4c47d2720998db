import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { askHttp, readBody } from "../../core/http.ts";
import { LAB_IMAGE, type LabEngine } from "../lab/engines.ts";

/** What the busy ones may use each. */
export const WORKER_CORES = 0.1;
/** What each visit of a web server brings. */
export const FILE_BYTES = 50_000;

const PROJECT_LABEL = "com.docker.compose.project";
const SERVICE_LABEL = "com.docker.compose.service";
const TURN_MS = 1_000;
const STOPPED_FOR_TURNS = 8;
/** As many as two CPUs start at a time. */
const AT_ONCE = 6;

interface Kind {
  readonly seats: number;
  readonly command: readonly string[];
  readonly host: Docker.HostConfig;
}

export type Service = "idle" | "worker" | "web";

const KINDS: Readonly<Record<Service, Kind>> = {
  idle: { seats: 84, command: ["sleep", "100000"], host: { NetworkMode: "none" } },
  worker: {
    seats: 4,
    command: ["sh", "-c", "while :; do :; done"],
    host: { NetworkMode: "none", NanoCpus: WORKER_CORES * 1e9 },
  },
  web: {
    seats: 12,
    command: [
      "sh",
      "-c",
      `dd if=/dev/zero of=/www/file bs=1000 count=${FILE_BYTES / 1_000} && exec httpd -f -h /www -p 80`,
    ],
    host: {},
  },
};

const BRIEF: Kind = {
  seats: 0,
  command: ["sleep", "0.3"],
  host: { NetworkMode: "none", AutoRemove: true },
};

/** The place of one replica of a service, which one container after the other takes. */
interface Seat {
  readonly name: string;
  readonly service: Service;
  id: string;
  address: string | undefined;
  /** Something is being done to it, or it is stopped. */
  busy: boolean;
}

/** A hundred containers of three services, and a churn of them that says what it did and when. */
export class ContainerCrowd implements AsyncDisposable {
  readonly project: string;
  /** By container id: since when it has run, or has not. Times are those of `performance.now()`. */
  readonly runningSinceMs = new Map<string, number>();
  readonly endedAtMs = new Map<string, number>();
  /** By container id: how often it was started again as it is. */
  readonly startedAgain = new Map<string, number>();
  readonly replacedAtMs: { readonly service: Service; readonly atMs: number }[] = [];
  /** Starts of containers, of brief ones too. */
  starts = 0;
  brief = 0;
  readonly #docker: Docker;
  readonly #seats: Seat[] = [];
  #ended = false;

  constructor(engine: LabEngine, project: string) {
    this.project = project;
    this.#docker = new Docker({ socketPath: engine.socketPath });
    for (const service of ["idle", "worker", "web"] as const) {
      for (let number = 1; number <= KINDS[service].seats; number += 1) {
        const name = `${project}-${service}-${number}`;
        this.#seats.push({ name, service, id: "", address: undefined, busy: false });
      }
    }
  }

  get size(): number {
    return this.#seats.length;
  }

  seatsOf(service: Service): number {
    return KINDS[service].seats;
  }

  /** The most replacements of a service's containers within any so long time. */
  mostReplaced(service: Service, withinMs: number): number {
    const times = this.replacedAtMs.filter((replaced) => replaced.service === service);
    return Math.max(
      0,
      ...times.map(
        ({ atMs }) => times.filter((other) => other.atMs >= atMs && other.atMs < atMs + withinMs).length,
      ),
    );
  }

  async fill(): Promise<void> {
    const waiting = [...this.#seats];
    const fillNext = async (): Promise<void> => {
      for (let seat = waiting.pop(); seat !== undefined; seat = waiting.pop()) await this.#seatNew(seat);
    };
    await allOf(Array.from({ length: AT_ONCE }, fillNext));
  }

  /**
   * Each second another seat's container is replaced; in some, one lives for a moment only, one is started again as it
   * is, or one is stopped for a while.
   */
  async churn(durationMs: number): Promise<void> {
    const untilMs = performance.now() + durationMs;
    const stopped: { readonly seat: Seat; readonly untilTurn: number }[] = [];
    for (let turn = 0; performance.now() < untilMs; turn += 1) {
      const nextMs = performance.now() + TURN_MS;
      const doings = [this.#replace(this.#free(turn))];
      if (turn % 2 === 0) doings.push(this.#runBriefly());
      if (turn % 3 === 0) doings.push(this.#restart(this.#free(turn + 50)));
      if (turn % 5 === 0) {
        const seat = this.#free(turn + 25);
        doings.push(this.#stop(seat));
        stopped.push({ seat, untilTurn: turn + STOPPED_FOR_TURNS });
      }
      if ((stopped[0]?.untilTurn ?? turn + 1) <= turn) {
        const seat = stopped.shift()?.seat;
        if (seat !== undefined) doings.push(this.#startAgain(seat));
      }
      await allOf(doings);
      await sleep(Math.max(0, nextMs - performance.now()));
    }
    await allOf(stopped.map(({ seat }) => this.#startAgain(seat)));
  }

  /** Ids of its containers that run, by the engine. */
  async running(): Promise<string[]> {
    return (await this.#list(false)).map(({ Id }) => Id);
  }

  /** Asks one web server after the other for its file until it is told to stop; the bytes that came. */
  async visit(everyMs: number, signal: AbortSignal): Promise<number> {
    const web = this.#seats.filter(({ service }) => service === "web");
    let bytes = 0;
    for (let visit = 0; !signal.aborted; visit += 1) {
      const nextMs = performance.now() + everyMs;
      const seat = web[visit % web.length];
      if (seat?.address !== undefined && !seat.busy) bytes += await download(`http://${seat.address}/file`);
      await sleep(Math.max(0, nextMs - performance.now()));
    }
    return bytes;
  }

  /** Removes whatever is of it. */
  async clear(): Promise<void> {
    this.#ended = true;
    for (;;) {
      const left = await this.#list(true);
      if (left.length === 0) return;
      const removeNext = async (): Promise<void> => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) {
          // A brief one may be going by itself.
          await this.#docker
            .getContainer(next.Id)
            .remove({ force: true })
            .catch(() => sleep(100));
          this.#hasEnded(next.Id);
        }
      };
      await allOf(Array.from({ length: AT_ONCE }, removeNext));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.clear();
  }

  #list(all: boolean): Promise<Docker.ContainerInfo[]> {
    return this.#docker.listContainers({ all, filters: { label: [`${PROJECT_LABEL}=${this.project}`] } });
  }

  /** A seat that nothing is being done to; which one, the turn says, over all services. */
  #free(turn: number): Seat {
    for (let step = 0; step < this.size; step += 1) {
      // 37 and 100 have no common divisor: each seat has its turn.
      const seat = this.#seats[(turn * 37 + step) % this.size];
      if (seat?.busy === false) {
        seat.busy = true;
        return seat;
      }
    }
    throw new Error("every seat is busy");
  }

  async #create(kind: Kind, service: string, name: string): Promise<Docker.Container> {
    if (this.#ended) throw new Error("the crowd is over");
    return await this.#docker.createContainer({
      name,
      Image: LAB_IMAGE,
      Cmd: [...kind.command],
      Labels: { [PROJECT_LABEL]: this.project, [SERVICE_LABEL]: service },
      HostConfig: kind.host,
    });
  }

  async #seatNew(seat: Seat): Promise<void> {
    seat.busy = true;
    const container = await this.#create(KINDS[seat.service], seat.service, seat.name);
    seat.id = container.id;
    await this.#start(seat);
  }

  async #start(seat: Seat): Promise<void> {
    this.endedAtMs.delete(seat.id);
    const container = this.#docker.getContainer(seat.id);
    await container.start();
    await this.#runs(seat);
  }

  async #runs(seat: Seat): Promise<void> {
    this.starts += 1;
    this.runningSinceMs.set(seat.id, performance.now());
    if (seat.service === "web") {
      const { NetworkSettings } = await this.#docker.getContainer(seat.id).inspect();
      seat.address = Object.values(NetworkSettings.Networks)[0]?.IPAddress || undefined;
    }
    seat.busy = false;
  }

  async #replace(seat: Seat): Promise<void> {
    this.runningSinceMs.delete(seat.id);
    await this.#docker.getContainer(seat.id).remove({ force: true });
    this.#hasEnded(seat.id);
    this.replacedAtMs.push({ service: seat.service, atMs: performance.now() });
    await this.#seatNew(seat);
  }

  async #restart(seat: Seat): Promise<void> {
    this.runningSinceMs.delete(seat.id);
    this.#again(seat);
    await this.#docker.getContainer(seat.id).restart({ t: 0 });
    await this.#runs(seat);
  }

  async #stop(seat: Seat): Promise<void> {
    this.runningSinceMs.delete(seat.id);
    await this.#docker.getContainer(seat.id).stop({ t: 0 });
    this.#hasEnded(seat.id);
  }

  async #startAgain(seat: Seat): Promise<void> {
    this.#again(seat);
    await this.#start(seat);
  }

  async #runBriefly(): Promise<void> {
    this.brief += 1;
    const container = await this.#create(BRIEF, "job", `${this.project}-job-${this.brief}`);
    const ended = container.wait({ condition: "removed" });
    await container.start();
    this.starts += 1;
    await ended;
    this.#hasEnded(container.id);
  }

  #again({ id }: Seat): void {
    this.startedAgain.set(id, (this.startedAgain.get(id) ?? 0) + 1);
  }

  #hasEnded(id: string): void {
    this.runningSinceMs.delete(id);
    this.endedAtMs.set(id, performance.now());
  }
}

/** Waits for all, also when one fails: what is still being made then could not be removed. */
async function allOf(doings: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(doings))
    if (result.status === "rejected") throw result.reason;
}

/** The bytes that came; none when it is just being replaced. */
async function download(url: string): Promise<number> {
  try {
    const response = await askHttp(url, { signal: AbortSignal.timeout(2_000) });
    return (await readBody(response)).text.length;
  } catch {
    return 0;
  }
}
