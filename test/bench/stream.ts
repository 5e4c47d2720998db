import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, FlyballHouse } from "../integration/flyball-daemon.ts";
import { childrenOf, cpuCoresOver, residentBytes } from "./collector/process-cost.ts";
import { type Bench, type Figure, percentile } from "./figure.ts";
import { StreamClients } from "./stream-clients.ts";
import { Receivers, type Way } from "./stream-told.ts";

interface Extent {
  readonly services: number;
  readonly clients: number;
  /** Caches fill, code is compiled. */
  readonly warmMs: number;
  readonly windowMs: number;
  readonly alerts: number;
}

const WHOLE: Extent = { services: 100, clients: 1_000, warmMs: 10_000, windowMs: 60_000, alerts: 60 };
const QUICK: Extent = { services: 10, clients: 50, warmMs: 3_000, windowMs: 6_000, alerts: 3 };
const REPLICAS = 2;
const MB = 1e6;
const SECOND_MS = 1_000;
const CORES_GOAL = { is: "at most", value: 1 } as const;
const MEMORY_GOAL_MB = { is: "at most", value: 400 } as const;
const LATE_GOAL_MS = { is: "at most", value: 100 } as const;
const TOLD_GOALS_MS: Readonly<Record<Way, number>> = { websocket: 1_000, mail: 2_000, slack: 2_000 };
/** Slack takes one message a second. */
const PAUSE_MS = 1_100;
const START_PATIENCE_MS = 300_000;

/**
 * What it costs to tell very many clients of everything each second, whether the scaling pass is late for that, and how
 * soon who is to be told of an alert is: from the instant at which a replica is killed.
 */
export const benchStream: Bench = async (say, { quick }) => {
  const extent = quick ? QUICK : WHOLE;
  await using stack = new AsyncDisposableStack();
  const receivers = stack.use(await Receivers.start());
  const house = await startHouse(stack, receivers, extent);
  const ids = Array.from({ length: extent.services }, (_, index) => house.serviceId(`s${index}`));
  say(`${extent.services * REPLICAS} replicas of ${extent.services} services, as processes`);
  const pids = pidsOf(house);

  await sleep(extent.warmMs);
  const alone = await measure(pids, receivers, extent);
  const clients = stack.use(await StreamClients.open(house.address, extent.clients));
  await sleep(extent.warmMs);
  await clients.received();
  const heard = await measure(pids, receivers, extent);
  const { frames, bytes, closed } = await clients.received();
  say(`${extent.clients} clients: ${frames} frames, ${Math.round(bytes / MB)} MB, ${closed} closed`);

  const told = await toldAfterKills(house, receivers, ids.slice(0, extent.alerts));
  const load = loadavg()[0] ?? Number.NaN;
  return [
    ...figuresOf("nobody listens", alone),
    ...figuresOf(`${extent.clients} clients listen`, heard, true),
    { name: "frames a client was given", value: frames / extent.clients, unit: "frames" },
    { name: "a second's frames for all", value: bytes / extent.windowMs / 1_000, unit: "MB" },
    { name: "clients that were let go", value: closed, unit: "clients", goal: { is: "at most", value: 0 } },
    ...toldFigures(told),
    { name: "load of the machine at the end", value: load, unit: "processes" },
  ];
};

/** All replicas run; that some were missing until then nobody was told. */
async function startHouse(
  stack: AsyncDisposableStack,
  receivers: Receivers,
  { services }: Extent,
): Promise<FlyballHouse> {
  const after = (close?: (...words: never[]) => unknown) =>
    void stack.defer(async () => void (await close?.()));
  const house = await FlyballHouse.open({ after }, undefined, { FLYBALL_CONFIG: "flyball.yaml" });
  const alerts = { groupBy: ["alertname", "service"], channels: receivers.channels };
  house.write("flyball.yaml", JSON.stringify({ alerts }));
  const file = house.compose(
    Array.from({ length: services }, (_, index) => serviceText(`s${index}`)).join(""),
  );
  await house.serve();
  const { id } = await house.client.silence({
    matchers: [{ name: "project", value: house.project, isEqual: true, isRegex: false }],
    ...{ endsAtMs: Date.now() + 3_600_000, author: "bench", comment: "until all of them run" },
  });
  await house.must("up", "-d", "-f", file);
  await eventually(
    "all replicas run, and no alert is left of the time before",
    async () => {
      const views = await house.client.services();
      const { alerts } = await house.client.alerts(1_000);
      return (
        views.every(({ replicas }) => replicas.ready === REPLICAS) &&
        alerts.every(({ state }) => state === "resolved")
      );
    },
    { patienceMs: START_PATIENCE_MS },
  );
  await house.must("alerts", "unsilence", id);
  await receivers.listen(house.address);
  return house;
}

/** It is not started again when it ends, so that each alert is one message. */
function serviceText(name: string): string {
  return `  ${name}:
    image: flyball/busybox:lab
    command: ["sleep", "100000"]
    deploy: { replicas: ${REPLICAS}, restart_policy: { condition: none } }
    labels:
      autoscale.max_cpu: "70"
      autoscale.min: "${REPLICAS}"
      autoscale.max: "4"
      business.team: checkout
      alert.replicas: "< ${REPLICAS} for 0s keep 0s"
`;
}

interface Pids {
  readonly daemon: number;
  readonly collector: number;
}

function pidsOf({ daemonPid: daemon }: FlyballHouse): Pids {
  const isCollector = (pid: number) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("collector/main.ts");
  const collector = childrenOf(daemon).find(isCollector);
  if (collector === undefined) throw new Error("the daemon has no collector");
  return { daemon, collector };
}

interface Cost {
  readonly daemonCores: number;
  readonly collectorCores: number;
  readonly daemonBytes: number;
  readonly collectorBytes: number;
  /** Of each pass: how much later it was than the one that was the earliest in its second. */
  readonly latenessMs: readonly number[];
  readonly passes: number;
}

async function measure(
  { daemon, collector }: Pids,
  { publishedAtMs }: Receivers,
  { windowMs }: Extent,
): Promise<Cost> {
  publishedAtMs.length = 0;
  const [daemonCores, collectorCores] = await Promise.all([
    cpuCoresOver([daemon], windowMs),
    cpuCoresOver([collector], windowMs),
  ]);
  const collectorBytes = residentBytes(collector);
  const latenessMs = latenessOf(publishedAtMs);
  const passes = publishedAtMs.length;
  return {
    daemonCores,
    collectorCores,
    daemonBytes: residentBytes(daemon),
    collectorBytes,
    latenessMs,
    passes,
  };
}

/** Passes are a second apart: by how much each is behind the raster on which the earliest of them is. */
function latenessOf(atMs: readonly number[]): number[] {
  const [first = 0] = atMs;
  const offsets = atMs.map((one) => one - first - SECOND_MS * Math.round((one - first) / SECOND_MS));
  const earliest = Math.min(...offsets);
  return offsets.map((offset) => offset - earliest);
}

async function toldAfterKills(
  house: FlyballHouse,
  receivers: Receivers,
  ids: readonly string[],
): Promise<Readonly<Record<Way, number>>[]> {
  const told: Readonly<Record<Way, number>>[] = [];
  for (const id of ids) {
    const { replicaList } = await house.client.service(id);
    const pid = replicaList[0]?.pid;
    if (pid === undefined) throw new Error(`${id} has no replica that could be killed`);
    // At any moment between two looks.
    await sleep(PAUSE_MS + Math.random() * SECOND_MS);
    told.push(await receivers.after(() => process.kill(pid, "SIGKILL")));
  }
  return told;
}

function figuresOf(situation: string, cost: Cost, hasGoals = false): Figure[] {
  const { daemonCores, collectorCores, daemonBytes, collectorBytes, latenessMs, passes } = cost;
  const figure = (name: string, value: number, unit: string, goal?: Figure["goal"]): Figure => ({
    ...{ name: `${situation}: ${name}`, value, unit },
    ...(hasGoals && goal !== undefined ? { goal } : {}),
  });
  return [
    figure("daemon", daemonCores, "cores", CORES_GOAL),
    figure("collector", collectorCores, "cores"),
    figure("daemon resident", daemonBytes / MB, "MB", MEMORY_GOAL_MB),
    figure("collector resident", collectorBytes / MB, "MB"),
    figure("scaling passes", passes, "passes"),
    figure("late, p50", percentile(latenessMs, 0.5), "ms"),
    figure("late, p99", percentile(latenessMs, 0.99), "ms", LATE_GOAL_MS),
  ];
}

function toldFigures(told: readonly Readonly<Record<Way, number>>[]): Figure[] {
  return (Object.keys(TOLD_GOALS_MS) as Way[]).flatMap((way) => {
    const tookMs = told.map((one) => one[way]);
    return [
      { name: `from the kill to the ${way}, p50`, value: percentile(tookMs, 0.5), unit: "ms" },
      {
        ...{ name: `from the kill to the ${way}, p99`, value: percentile(tookMs, 0.99), unit: "ms" },
        goal: { is: "at most", value: TOLD_GOALS_MS[way] },
      },
    ];
  });
}
