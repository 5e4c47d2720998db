import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, FlyballHouse } from "../integration/flyball-daemon.ts";
import { endHaproxy } from "../integration/haproxy-end.ts";
import { haproxyBalancers } from "../integration/traffic-balancers.ts";
import { LAB_IMAGE, type LabEngine, labEngines } from "../lab/engines.ts";
import { freePort } from "../lab/free-port.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";

const GOAL_MS = 300;
const COMMAND = ["httpd", "-f", "-p", "80", "-h", "/etc"];
const ASKED = "/passwd";

/** From a request for a service that sleeps to its answer, beside what the engine and the container take by themselves. */
export const benchColdStart: Bench = async (say, { quick }) => {
  const haproxy = haproxyBalancers().at(-1);
  const engines = await labEngines();
  if (engines.length === 0) say("no Docker engine: run `npm run lab -- up` to have cold starts measured");
  const figures: Figure[] = [];
  for (const lab of haproxy === undefined ? [] : engines) {
    const { oursMs, ownMs } = await measure(lab, haproxy?.path ?? "", quick ? 2 : 8);
    const texts = [oursMs, ownMs].map((all) => all.map(Math.round).join(" "));
    say(`docker ${lab.name}: ${texts[0]}; the container alone ${texts[1]}`);
    const [ours, own] = [percentile(oursMs, 0.5), percentile(ownMs, 0.5)];
    const figure = (name: string, value: number): Figure => ({
      name: `docker ${lab.name}: ${name}`,
      value: Math.round(value),
      unit: "ms",
    });
    figures.push(figure("cold start, p50", ours), figure("the container's own start, p50", own), {
      ...figure("cold start beyond it", ours - own),
      goal: { is: "at most", value: GOAL_MS },
    });
  }
  return figures;
};

async function measure(lab: LabEngine, haproxy: string, rounds: number) {
  const ends: (() => unknown)[] = [];
  const port = await freePort();
  const house = await FlyballHouse.open({ after: (end) => void ends.push(end as () => unknown) }, lab, {
    FLYBALL_TRAFFIC_HTTP: `127.0.0.1:${port}`,
    FLYBALL_HAPROXY: haproxy,
  });
  house.defer(async () => endHaproxy(house));
  try {
    const file = house.compose(`  web:
    image: ${LAB_IMAGE}
    command: ${JSON.stringify(COMMAND)}
    init: true
    expose: ["80"]
    stop_grace_period: 1s
    labels:
      lb.port: "80"
      autoscale.max_cpu: "70"
      autoscale.min: "0"
      autoscale.idle: 1s
`);
    await house.serve();
    await house.must("up", "-f", file);
    const url = `http://127.0.0.1:${port}${ASKED}`;
    const [oursMs, ownMs]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      await eventually("it sleeps", async () => (await house.seen()).length === 0);
      ownMs.push(await ownStart(house));
      await sleep(500);
      const startedMs = performance.now();
      const answer = await fetch(url);
      await answer.text();
      oursMs.push(performance.now() - startedMs);
      if (!answer.ok) throw new Error(`a cold start was answered ${answer.status}`);
    }
    await house.must("down");
    await house.stop();
    return { oursMs, ownMs };
  } finally {
    for (const end of ends) await end();
  }
}

/** Created, started and asked as soon as it listens. */
async function ownStart(house: FlyballHouse): Promise<number> {
  const network = `${house.project}_default`;
  const startedMs = performance.now();
  const container = await house.docker.createContainer({
    Image: LAB_IMAGE,
    Cmd: COMMAND,
    Labels: { "com.docker.compose.project": `${house.project}-alone` },
    HostConfig: { NetworkMode: network, Init: true },
  });
  try {
    await container.start();
    const { NetworkSettings } = await container.inspect();
    const host = NetworkSettings.Networks[network]?.IPAddress ?? "";
    while (!(await listens(host))) await sleep(1);
    await (await fetch(`http://${host}${ASKED}`)).text();
    return performance.now() - startedMs;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function listens(host: string): Promise<boolean> {
  const socket = connect(80, host);
  const isOpen = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
