import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { FlyballAgent } from "../lab/agent.ts";
import { LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import {
  Prometheus,
  prometheusPrograms,
  promtoolComplaints,
  skipWithoutPrometheus,
} from "../lab/prometheus.ts";

const engines = await labEngines();
const programs = prometheusPrograms();
const skip = skipWithoutEngine(engines) || skipWithoutPrometheus(programs);

/** Long enough for each seat to be replaced several times, and short enough for every run of the tests. */
const CHURN_MS = 50_000;
const SEATS = 8;
const REPLACE_EVERY_MS = 900;
const LIMIT_CORES = 0.1;
/** What a rate over so short a time may be above its limit: the kernel enforces it period by period. */
const MOST_CORES = 3 * LIMIT_CORES;
const PROJECT = "prometheus-churn";

/** Lint of names that are cAdvisor's and node_exporter's, by which boards and rules know them. */
const KNOWN_COMPLAINTS = [
  /^container_memory_failcnt counter metrics should have "_total" suffix$/,
  /^container_fs_inodes_total non-counter metrics should not have "_total" suffix$/,
  /^cadvisor_version_info label names should be written in 'snake_case'/,
  /^node_memory_\w+ metric names should be written in 'snake_case'/,
];

const BUSY = ["sh", "-c", "while :; do :; done"];

describe("a real Prometheus that scrapes the collector", { skip }, () => {
  test("while containers come, go and are replaced finds no fault with what it gets", async (t) => {
    const [engine] = engines;
    assert.ok(engine !== undefined);
    const seats = new Seats(engine);
    t.after(() => seats.clear());
    await using agent = await FlyballAgent.start(engine.socketPath);
    await using servers = new AsyncDisposableStack();
    const running: { name: string; server: Prometheus }[] = [];
    for (const [index, program] of programs.entries()) {
      const server = await Prometheus.start(program, scrapeConfig(agent.address, index));
      running.push({ name: program.name, server: servers.use(server) });
    }

    const fromSeconds = Date.now() / 1_000;
    await seats.churn(CHURN_MS);
    const names = [...seats.everUsed];
    await seats.clear();
    const clearedAtSeconds = Date.now() / 1_000;
    // Off the page, and scraped without.
    await sleep(7_000);

    for (const { name, server } of running) {
      await t.test(`Prometheus ${name}`, async () => {
        await assertSound(server, names, { fromSeconds, toSeconds: clearedAtSeconds });
      });
    }
    await t.test("promtool", async () => {
      const complaints = await promtoolComplaints(await agent.page());
      assert.deepEqual(
        complaints.filter((line) => !KNOWN_COMPLAINTS.some((known) => known.test(line))),
        [],
      );
    });
    assert.equal(agent.said.includes("INTERNAL"), false, agent.said);
  });
});

async function assertSound(
  server: Prometheus,
  names: readonly string[],
  { fromSeconds, toSeconds }: { fromSeconds: number; toSeconds: number },
): Promise<void> {
  assert.doesNotMatch(
    server.log,
    /out of order|out-of-order|duplicate|different value|level=(?:warn|error)/i,
  );
  const [up] = await server.query("min_over_time(up[2m])");
  assert.equal(up?.points[0]?.value, 1, "every scrape was answered");
  const range = { fromSeconds, toSeconds, stepSeconds: 1 };
  const ours = `container_label_com_docker_compose_project="${PROJECT}"`;

  for (const family of ["container_cpu_usage_seconds_total", "container_cpu_cfs_throttled_seconds_total"]) {
    const rates = await server.queryRange(`rate(${family}{${ours}}[5s])`, range);
    const points = rates.flatMap((series) => series.points);
    assert.ok(points.length > 100, `${points.length} points of ${family}`);
    assert.ok(points.every(({ value }) => value >= 0 && Number.isFinite(value)));
  }
  const cpu = await server.queryRange(`rate(container_cpu_usage_seconds_total{${ours}}[5s])`, range);
  const highest = Math.max(...cpu.flatMap(({ points }) => points.map(({ value }) => value)));
  assert.ok(highest > LIMIT_CORES / 4, `${highest} cores at most: nothing was busy`);
  assert.ok(highest <= MOST_CORES, `${highest} cores at most, under a limit of ${LIMIT_CORES}`);

  const seats = await server.queryRange(
    `sum by (name) (rate(container_cpu_usage_seconds_total{${ours}}[5s]))`,
    range,
  );
  assert.deepEqual(seats.map(({ labels }) => labels["name"]).sort(), names.toSorted());
  // Two containers in one seat at most: the one that went and the one that came, both within the range of the rate.
  const highestSeat = Math.max(...seats.flatMap(({ points }) => points.map(({ value }) => value)));
  assert.ok(highestSeat <= 2 * MOST_CORES, `${highestSeat} cores in one seat`);

  assert.deepEqual(await server.query(`container_last_seen{${ours}}`), [], "what is gone is stale");
}

function scrapeConfig(address: string, index: number): string {
  return JSON.stringify({
    scrape_configs: [
      {
        job_name: "flyball",
        scrape_interval: "1s",
        scrape_timeout: "1s",
        static_configs: [{ targets: [address] }],
        // The oldest asks for OpenMetrics by itself; the newer one is told to ask for the other format.
        ...(index === 0 ? {} : { scrape_protocols: ["PrometheusText0.0.4"] }),
      },
    ],
  });
}

/** Containers that take each other's name, as the replicas of a service do. */
class Seats {
  readonly everUsed = new Set<string>();
  readonly #docker: Docker;
  readonly #taken = new Map<string, Docker.Container>();

  constructor(engine: LabEngine) {
    this.#docker = new Docker({ socketPath: engine.socketPath });
  }

  async churn(durationMs: number): Promise<void> {
    const untilMs = performance.now() + durationMs;
    for (let turn = 0; performance.now() < untilMs; turn += 1) {
      const nextMs = performance.now() + REPLACE_EVERY_MS;
      await this.#turn(turn);
      await sleep(Math.max(0, nextMs - performance.now()));
    }
  }

  async clear(): Promise<void> {
    for (const container of this.#taken.values()) await container.remove({ force: true }).catch(() => {});
    this.#taken.clear();
  }

  /** Mostly replaced; now and then started again as it is, whose counters then begin anew under the same id. */
  async #turn(turn: number): Promise<void> {
    const name = `${PROJECT}-web-${1 + (turn % SEATS)}`;
    const before = this.#taken.get(name);
    if (before !== undefined && turn % 5 === 0) {
      await before.restart({ t: 0 });
      return;
    }
    await before?.remove({ force: true });
    const container = await this.#docker.createContainer({
      name,
      Image: LAB_IMAGE,
      Cmd: BUSY,
      Labels: { "com.docker.compose.project": PROJECT, "com.docker.compose.service": "web" },
      HostConfig: { NanoCpus: LIMIT_CORES * 1e9, Memory: 32 * 1024 * 1024, NetworkMode: "none" },
    });
    this.#taken.set(name, container);
    this.everUsed.add(name);
    await container.start();
  }
}
