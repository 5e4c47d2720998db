import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { HOUR_MS } from "../../core/units.ts";
import { type BalancerProgram, BUILT_IN, haproxyBalancers } from "../integration/traffic-balancers.ts";
import { Stage, serviceWith } from "../integration/traffic-stage.ts";
import { maySleep, replica } from "../traffic/builders.ts";
import { type Bench, type Figure, type Goal, percentile } from "./figure.ts";
import { PlainHaproxy } from "./traffic-plain-haproxy.ts";
import { Programs } from "./traffic-programs.ts";
import { Wrk } from "./traffic-wrk.ts";

const SERVICE = "shop_web";
const ADDED_GOALS = { p50: 1, p99: 3 } as const;
const RATE_GOAL = 10_000;
const ROUNDS = 3;

/** What it costs to ask a service that may sleep and is awake, beside what HAProxy costs without Flyball. */
export const benchWarm: Bench = async (say, { quick }) => {
  const figures: Figure[] = [];
  for (const program of haproxyBalancers()) {
    figures.push(...(await addedLatency(program, quick ? 500 : 10_000)));
    say(`${program.name}: asked while it was awake`);
  }
  const [haproxy] = haproxyBalancers();
  if (haproxy === undefined) return figures;
  for (const program of [...haproxyBalancers(), BUILT_IN]) {
    const own = program.isHaproxy ? program : haproxy;
    figures.push(...(await rates(program, own, quick ? 500 : 4_000)));
  }
  return figures;
};

/** A service that may sleep, with one replica at that port. */
async function awake(program: BalancerProgram, port: number): Promise<Stage> {
  const stage = await Stage.open(program);
  const endpoints = [{ targetPort: 80, host: "127.0.0.1", port }];
  stage.traffic.update({
    services: [{ ...serviceWith(SERVICE), scaling: maySleep(HOUR_MS) }],
    replicas: [replica("web-1", SERVICE, { endpoints })],
    complete: true,
  });
  await stage.until(async () => (await stage.open()).length === 1);
  return stage;
}

/** Each request in turn straight to the replica, through a plain HAProxy, and through ours; on kept connections. */
async function addedLatency(program: BalancerProgram, count: number): Promise<Figure[]> {
  await using replicas = await Programs.start();
  await replicas.open("web-1");
  const port = replicas.portOf("web-1");
  await using plain = await PlainHaproxy.leadingTo(program.path, port);
  await using stage = await awake(program, port);
  const ways = { replica: port, plain: plain.port, ours: stage.port };
  const tookMs = { replica: [] as number[], plain: [] as number[], ours: [] as number[] };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let round = -200; round < count; round += 1) {
    for (const way of ["replica", "plain", "ours"] as const) {
      const startedMs = performance.now();
      await ask(ways[way], agent);
      if (round >= 0) tookMs[way].push(performance.now() - startedMs);
    }
  }
  agent.destroy();
  const added = (way: "plain" | "ours", share: number) =>
    Math.max(0, percentile(tookMs[way], share) - percentile(tookMs.replica, share));
  const figure = (name: string, value: number, goal?: number): Figure => ({
    name: `${program.name}: ${name}`,
    value,
    unit: "ms",
    ...(goal === undefined ? {} : { goal: { is: "at most", value: goal } }),
  });
  return [
    figure("added to a warm request, p50", added("ours", 0.5), ADDED_GOALS.p50),
    figure("the same by a plain HAProxy", added("plain", 0.5)),
    figure("added to a warm request, p99", added("ours", 0.99), ADDED_GOALS.p99),
    figure("the same by a plain HAProxy, p99", added("plain", 0.99)),
  ];
}

async function ask(port: number, agent: Agent): Promise<void> {
  const [response] = (await once(get({ port, host: "127.0.0.1", agent }), "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
}

/** Requests per second through it to a replica that is no hindrance, and through a plain HAProxy, in turns. */
async function rates(program: BalancerProgram, own: BalancerProgram, forMs: number): Promise<Figure[]> {
  await using fast = await PlainHaproxy.answering(own.path);
  await using plain = await PlainHaproxy.leadingTo(own.path, fast.port);
  await using stage = await awake(program, fast.port);
  const rate = { plain: [] as number[], ours: [] as number[] };
  let failed = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, port] of [["plain", plain.port] as const, ["ours", stage.port] as const]) {
      using load = new Wrk(`http://127.0.0.1:${port}/`);
      await sleep(forMs);
      const report = await load.end();
      rate[way].push(report.perSecond);
      if (way === "ours") failed += report.failed;
    }
  }
  const figure = (name: string, value: number, unit: string, goal?: Goal): Figure => ({
    name: `${program.name}: ${name}`,
    value: Math.round(value),
    unit,
    ...(goal === undefined ? {} : { goal }),
  });
  const goal: Goal = { is: "at least", value: RATE_GOAL };
  return [
    figure(
      "requests through it, by wrk",
      percentile(rate.ours, 0.5),
      "/s",
      program.isHaproxy ? goal : undefined,
    ),
    figure(`the same through a plain ${own.name}`, percentile(rate.plain, 0.5), "/s"),
    figure("failed of them", failed, "", { is: "at most", value: 0 }),
  ];
}
