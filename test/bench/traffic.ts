import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { allBalancers } from "../integration/traffic-balancers.ts";
import { Stage, serviceWith } from "../integration/traffic-stage.ts";
import { replica } from "../traffic/builders.ts";
import { type Bench, type Figure, type Goal, percentile } from "./figure.ts";
import { benchColdStart } from "./traffic-cold-start.ts";
import { Programs } from "./traffic-programs.ts";
import { benchRestart } from "./traffic-restart.ts";
import { benchWarm } from "./traffic-warm.ts";
import { Websockets } from "./traffic-websockets.ts";
import { Wrk } from "./traffic-wrk.ts";

const SERVICE = "shop_web";
const [FEW, MANY] = [2, 6];
const WEBSOCKETS = 200;
const GRACE_MS = 2_000;
const TICKS_PER_SECOND = 100;

/**
 * Scaling out and in again and again under requests and websockets, on every balancer that is here; HAProxy's end, and services
 * that sleep.
 */
export const benchTraffic: Bench = async (say, { quick }) => {
  const programs = allBalancers();
  const missing = programs.find(({ skip }) => skip !== false)?.skip;
  if (typeof missing === "string") throw new Error(missing);
  const figures: Figure[] = [];
  for (const program of programs) {
    await using stage = await Stage.open(program);
    await using replicas = await Programs.start();
    const cycles = new Cycles(stage, replicas);
    figures.push(...(await cycles.measure(quick ? 3 : 50, say)));
  }
  for (const bench of [benchRestart, benchWarm, benchColdStart])
    figures.push(...(await bench(say, { quick })));
  return figures;
};

class Cycles {
  readonly #stage: Stage;
  readonly #programs: Programs;
  readonly #names: string[] = [];
  readonly #websockets: Websockets;
  readonly #readyMs: number[] = [];
  readonly #drainMs: number[] = [];
  readonly #tookMs: number[] = [];
  #made = 0;

  constructor(stage: Stage, programs: Programs) {
    this.#stage = stage;
    this.#programs = programs;
    this.#websockets = new Websockets(stage, WEBSOCKETS);
  }

  async measure(count: number, say: (line: string) => void): Promise<Figure[]> {
    const { traffic, program, url } = this.#stage;
    await this.#grow(FEW);
    await this.#stage.until(() =>
      this.#stage.get().then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    await this.#websockets.start();
    const { masterPid, workers } = await this.#processes();
    using load = new Wrk(url);
    await sleep(1_000);
    const [cpuBefore, startedMs] = [cpuSeconds(workers), performance.now()];
    const requestsBefore = await this.#requests();
    let cycle = 0;
    for (; cycle < count; cycle += 1) {
      await this.#grow(MANY);
      await sleep(500);
      await this.#shrink(FEW);
      if ((cycle + 1) % 10 === 0) say(`${program.name}: ${cycle + 1} cycles`);
    }
    const tookSeconds = (performance.now() - startedMs) / 1_000;
    const requests = (await this.#requests()) - requestsBefore;
    const cpu = cpuSeconds(workers) - cpuBefore;
    const report = await load.end();
    await this.#websockets.stop();
    const status = traffic.status();
    const same = (await this.#processes()).masterPid === masterPid;
    const figure = (name: string, value: number, unit: string, goal?: Goal): Figure => ({
      name: `${program.name}: ${name}`,
      value,
      unit,
      ...(goal === undefined ? {} : { goal }),
    });
    const none: Goal = { is: "at most", value: 0 };
    return [
      figure(`cycles ${FEW} to ${MANY} and back`, cycle, "", { is: "at least", value: count }),
      figure("requests, by wrk", report.requests, "", { is: "at least", value: count === 50 ? 100_000 : 1 }),
      figure("requests per second, by wrk", report.perSecond, "/s", { is: "at least", value: 2_000 }),
      figure("failed requests, by wrk", report.failed, "", none),
      figure("websockets opened", this.#websockets.opened, ""),
      figure("websockets cut before their end or the grace", this.#websockets.cut, "", none),
      figure("websockets that the grace ended", this.#websockets.endedByGrace, ""),
      figure("ready to first request, p50", percentile(this.#readyMs, 0.5), "ms"),
      figure("ready to first request, worst", percentile(this.#readyMs, 1), "ms", {
        is: "at most",
        value: 200,
      }),
      figure("drain to last request, p50", percentile(this.#drainMs, 0.5), "ms"),
      figure("drain to last request, worst", percentile(this.#drainMs, 1), "ms", {
        is: "at most",
        value: 100,
      }),
      figure("drain, p50", percentile(this.#tookMs, 0.5), "ms"),
      figure("reloads and restarts", status.reloads + status.restarts + (same ? 0 : 1), "", none),
      // What is built in shares its process with this bench and its websockets.
      ...(program.isHaproxy ? [figure("HAProxy's CPU per request", (cpu / requests) * 1e6, "µs")] : []),
      figure("requests per second while cycling", requests / tookSeconds, "/s"),
    ];
  }

  #processes(): Promise<{ readonly masterPid: number; readonly workers: readonly number[] }> {
    const own = { masterPid: process.pid, workers: [process.pid] };
    return this.#stage.program.isHaproxy ? this.#stage.processes() : Promise.resolve(own);
  }

  async #grow(count: number): Promise<void> {
    const fresh: string[] = [];
    while (this.#names.length < count) {
      this.#made += 1;
      const name = `web-${this.#made}`;
      await this.#programs.open(name);
      this.#names.push(name);
      fresh.push(name);
    }
    const readyAtMs = Date.now();
    for (const name of fresh) this.#programs.readyAtMs.set(name, readyAtMs);
    this.#tell();
    await this.#stage.until(async () => {
      const open = await this.#stage.open();
      return fresh.every((name) => open.includes(name));
    });
  }

  async #shrink(count: number): Promise<void> {
    const leaving = this.#names.splice(0, this.#names.length - count);
    const drainedAtMs = Date.now();
    for (const name of leaving) this.#websockets.graceEndsAtMs.set(name, drainedAtMs + GRACE_MS);
    await Promise.all(
      leaving.map(async (name) => {
        const startedMs = performance.now();
        await this.#stage.traffic.drain(name, GRACE_MS);
        this.#tookMs.push(performance.now() - startedMs);
        const { firstAtMs, lastAtMs } = await this.#programs.close(name);
        const readyAtMs = this.#programs.readyAtMs.get(name) ?? 0;
        // The first two were ready before anybody asked.
        if (this.#made > FEW && firstAtMs > 0 && name !== "web-1" && name !== "web-2") {
          this.#readyMs.push(Math.max(0, firstAtMs - readyAtMs));
        }
        this.#drainMs.push(Math.max(0, lastAtMs - drainedAtMs));
      }),
    );
    this.#tell(leaving);
  }

  /** @param gone are not seen any more */
  #tell(gone: readonly string[] = []): void {
    const names = this.#names.filter((name) => !gone.includes(name));
    const replicas = names.map((name) =>
      replica(name, SERVICE, {
        endpoints: [{ targetPort: 80, host: "127.0.0.1", port: this.#programs.portOf(name) }],
      }),
    );
    this.#stage.traffic.update({ services: [serviceWith(SERVICE)], replicas, complete: true });
  }

  async #requests(): Promise<number> {
    const seen = this.#stage.traffic.readings().find(({ replica: one }) => one === undefined);
    return seen?.requestsTotal ?? 0;
  }
}

/** User and system time that these processes have had. */
function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
}
