import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FlyballAgent } from "../lab/agent.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import {
  Prometheus,
  prometheusPrograms,
  promtoolComplaints,
  type QueryResult,
  skipWithoutPrometheus,
} from "../lab/prometheus.ts";
import { ContainerCrowd, FILE_BYTES, type Service, WORKER_CORES } from "./container-crowd.ts";
import { eventually } from "./flyball-daemon.ts";
import { counterFamilies, type PageWatched, watchPage } from "./page-watch.ts";

const engines = await labEngines();
const programs = prometheusPrograms();
const skip = skipWithoutEngine(engines) || skipWithoutPrometheus(programs);

const CHURN_MS = 60_000;
const VISIT_EVERY_MS = 250;
/** A scrape has as long: a machine with much other work is late, and the next scrape is as good. */
const SCRAPE_SECONDS = 2;
const RANGE_SECONDS = 5 * SCRAPE_SECONDS;

/**
 * What a rate may be above the truth: the readings that two scrapes hold may be a second further apart than the scrapes
 * are, and rate() stretches what it finds over the whole of its range. The worst of both is 1.2, on a machine in time.
 */
const STRETCH = 1.5;
/** Of a container that does nothing after its start: what its start takes, over the range. */
const IDLE_CORES = 0.1;
/** Headers and acknowledgements around the payload. */
const OVERHEAD = 1.1;
/** No packet is shorter than the headers of TCP. */
const LEAST_PACKET_BYTES = 40;
const PERIODS_PER_SECOND = 10;

const SERVICES = ["idle", "worker", "web"] as const satisfies Service[];
const SERVICE_LABEL = "container_label_com_docker_compose_service";
const BY_SERVICE = `by (${SERVICE_LABEL})`;

/** Lint of names that are cAdvisor's and node_exporter's, by which boards and rules know them. */
const KNOWN_COMPLAINTS = [
  /^container_memory_failcnt counter metrics should have "_total" suffix$/,
  /^container_fs_inodes_total non-counter metrics should not have "_total" suffix$/,
  /^cadvisor_version_info label names should be written in 'snake_case'/,
  /^node_memory_\w+ metric names should be written in 'snake_case'/,
];

const FAULTS = [
  "prometheus_target_scrapes_sample_duplicate_timestamp_total",
  "prometheus_target_scrapes_sample_out_of_order_total",
  "prometheus_target_scrapes_sample_out_of_bounds_total",
  "prometheus_tsdb_out_of_order_samples_total",
];

describe("a real Prometheus that scrapes the collector", { skip }, () => {
  test("while a hundred containers come, go and are replaced finds no fault with what it gets", async (t) => {
    const [engine] = engines;
    assert.ok(engine !== undefined);
    assert.deepEqual(
      programs.map(({ name }) => name),
      ["2.42", "2.53"],
    );
    await using crowd = new ContainerCrowd(engine, `prometheus-churn-${process.pid}`);
    await using agent = await FlyballAgent.start(engine.socketPath);
    await crowd.fill();
    await using servers = new AsyncDisposableStack();
    const running: { name: string; server: Prometheus }[] = [];
    for (const [index, program] of programs.entries()) {
      const server = await Prometheus.start(program, scrapeConfig(agent.address, index));
      running.push({ name: program.name, server: servers.use(server) });
    }
    // A container's first readings, and a rate of them.
    await sleep(RANGE_SECONDS * 1_000);

    const fromSeconds = Date.now() / 1_000;
    const done = new AbortController();
    const [, watched, visitedBytes] = await Promise.all([
      crowd.churn(CHURN_MS).finally(() => done.abort()),
      watchPage(agent, crowd, done.signal),
      crowd.visit(VISIT_EVERY_MS, done.signal),
    ]).finally(() => done.abort());
    const toSeconds = Date.now() / 1_000;
    // Those that lived for less than a second are among them.
    await eventually("each start is counted", async () => startsOnPage(await agent.page()) >= crowd.starts, {
      patienceMs: 10_000,
      about: () => agent.said,
    });
    await crowd.clear();
    // Off the page, and scraped without.
    await sleep(5_000 + 2 * SCRAPE_SECONDS * 1_000);

    t.diagnostic(
      `${crowd.starts} starts, ${crowd.brief} of them brief, ${crowd.replacedAtMs.length} replaced`,
    );
    assert.ok(
      crowd.replacedAtMs.length > CHURN_MS / 10_000 && crowd.brief > 0 && crowd.startedAgain.size > 0,
    );
    const seconds = toSeconds - fromSeconds;
    const run = { crowd, fromSeconds, toSeconds, visitedBytesPerSecond: visitedBytes / seconds };
    for (const { name, server } of running) {
      await t.test(`Prometheus ${name} took everything`, () => assertTaken(server, run));
      await t.test(`Prometheus ${name} sees what was true`, (context) =>
        assertTrue(server, run, watched, context),
      );
    }
    await t.test("its page is that of the containers that run", (context) => {
      assertPage(watched, crowd.size, context);
    });
    await t.test("promtool", async () => {
      const complaints = await promtoolComplaints(watched.lastPage);
      assert.deepEqual(
        complaints.filter((line) => !KNOWN_COMPLAINTS.some((known) => known.test(line))),
        [],
      );
    });
    assert.equal(agent.said.includes("INTERNAL"), false, agent.said);
  });
});

interface Run {
  readonly crowd: ContainerCrowd;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly visitedBytesPerSecond: number;
}

async function assertTaken(server: Prometheus, { crowd, fromSeconds, toSeconds }: Run): Promise<void> {
  assert.doesNotMatch(
    server.log,
    /out of order|out-of-order|duplicate|different value|level=(?:warn|error)/i,
  );
  for (const fault of FAULTS) assert.equal(await server.counted(fault), 0, fault);
  const life = `${Math.round(toSeconds - fromSeconds)}s`;
  // A machine that does much else is late for some; what came is held against what was true.
  const [up] = await server.query(`avg_over_time(up[${life}])`);
  assert.ok((up?.points[0]?.value ?? 0) > 0.8, `scrapes were answered: ${up?.points[0]?.value}`);
  const [scrapes] = await server.query(`count_over_time(up[${life}])`);
  const expected = (toSeconds - fromSeconds) / SCRAPE_SECONDS;
  assert.ok((scrapes?.points[0]?.value ?? 0) > 0.9 * expected, `${expected} scrapes were to be made`);
  const ours = selector(crowd);
  assert.deepEqual(await server.query(`container_last_seen{${ours}}`), [], "what is gone is stale");
}

async function assertTrue(
  server: Prometheus,
  run: Run,
  { lastPage }: PageWatched,
  context: TestContext,
): Promise<void> {
  const { crowd, fromSeconds, toSeconds, visitedBytesPerSecond } = run;
  const ours = selector(crowd);
  const range = { fromSeconds, toSeconds, stepSeconds: 1 };
  const rate = (family: string) => `rate(${family}{${ours}}[${RANGE_SECONDS}s])`;
  const life = `${Math.round(toSeconds - fromSeconds) + 30}s`;
  const families = counterFamilies(lastPage, "container_");
  assert.ok(families.length >= 20, families.join(" "));
  let allResets = 0;
  for (const family of families) {
    const lowest = pointsOf(await server.queryRange(`min(${rate(family)})`, range));
    assert.ok(
      lowest.every((value) => value >= 0),
      `${family} falls`,
    );
    // rate() takes any fall for a reset, and then the whole value for a rise: the spike that must not be.
    const resets = await server.query(`max by (id) (resets(${family}{${ours}}[${life}]))`);
    for (const { labels, points } of resets) {
      const count = points[0]?.value ?? 0;
      const id = (labels["id"] ?? "").replace("/docker/", "");
      const restarts = crowd.startedAgain.get(id) ?? 0;
      assert.ok(count <= restarts, `${family} of ${id}: ${count} resets, ${restarts} restarts`);
      allResets += count;
    }
  }
  assert.ok(allResets > 0, "a container that was started again counts from 0");

  for (const { families, each, sum } of ceilings(crowd)) {
    for (const family of families) {
      const highestEach = byService(await server.queryRange(`max ${BY_SERVICE} (${rate(family)})`, range));
      const highestSum = byService(await server.queryRange(`sum ${BY_SERVICE} (${rate(family)})`, range));
      for (const service of SERVICES) {
        assertAtMost(each[service], highestEach[service], `${family} of one ${service}`);
        assertAtMost(sum[service], highestSum[service], `${family} of all ${service}`);
      }
    }
  }
  const cpu = await server.queryRange(`sum(${rate("container_cpu_usage_seconds_total")})`, range);
  assertAtMost(availableParallelism() * STRETCH, pointsOf(cpu), "cores of all containers");

  // What was done is seen: less of the CPU on a machine with other work, and all that was sent but at a replacement.
  const worked = byService(
    await server.queryRange(`sum ${BY_SERVICE} (${rate("container_cpu_usage_seconds_total")})`, range),
  ).worker;
  const allowedCores = crowd.seatsOf("worker") * WORKER_CORES;
  assert.ok(median(worked) > allowedCores / 4, `${median(worked)} of ${allowedCores} cores`);
  const sent = byService(
    await server.queryRange(`sum ${BY_SERVICE} (${rate("container_network_transmit_bytes_total")})`, range),
  ).web;
  const sentRatio = median(sent) / visitedBytesPerSecond;
  assert.ok(sentRatio > 0.6 && sentRatio < STRETCH, `${sentRatio} of what was received`);
  context.diagnostic(
    `${families.length} counter families, at most ${Math.max(...worked).toFixed(3)} of ${allowedCores} cores, ` +
      `${sentRatio.toFixed(3)} of what was received, ${allResets} resets of containers started again`,
  );
}

/** What no rate can be above, of one container of a service and of all of them. */
interface Ceiling {
  readonly families: readonly string[];
  readonly each: Partial<Record<Service, number>>;
  readonly sum: Partial<Record<Service, number>>;
}

function ceilings(crowd: ContainerCrowd): Ceiling[] {
  // The one that went is still in the range when the one that came is.
  const atMost = (service: Service): number =>
    crowd.seatsOf(service) + crowd.mostReplaced(service, (RANGE_SECONDS + 2) * 1_000);
  const limited = (perSecond: number): Pick<Ceiling, "each" | "sum"> => ({
    each: { worker: perSecond * STRETCH },
    sum: { worker: perSecond * STRETCH * atMost("worker") },
  });
  const sent = (perSecond: number): Pick<Ceiling, "each" | "sum"> => ({
    each: { idle: 0, worker: 0 },
    sum: { idle: 0, worker: 0, web: perSecond * STRETCH },
  });
  const sentBytes = (FILE_BYTES * OVERHEAD * 1_000) / VISIT_EVERY_MS;
  const cpu = limited(WORKER_CORES);
  return [
    {
      families: [
        "container_cpu_usage_seconds_total",
        "container_cpu_user_seconds_total",
        "container_cpu_system_seconds_total",
      ],
      each: { ...cpu.each, idle: IDLE_CORES, web: IDLE_CORES },
      sum: { ...cpu.sum, idle: 2 * IDLE_CORES, web: 2 * IDLE_CORES },
    },
    {
      families: ["container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_periods_total"],
      ...limited(PERIODS_PER_SECOND),
    },
    // Each CPU is held back for itself.
    { families: ["container_cpu_cfs_throttled_seconds_total"], ...limited(availableParallelism()) },
    {
      families: ["container_network_transmit_bytes_total", "container_network_receive_bytes_total"],
      ...sent(sentBytes),
    },
    {
      families: ["container_network_transmit_packets_total", "container_network_receive_packets_total"],
      ...sent(sentBytes / LEAST_PACKET_BYTES),
    },
    ...[
      "container_network_transmit_errors_total",
      "container_network_receive_errors_total",
      "container_memory_failcnt",
      "container_oom_events_total",
      "container_restarts_total",
    ].map((family) => ({ families: [family], each: {}, sum: { idle: 0, worker: 0, web: 0 } })),
  ];
}

function assertAtMost(ceiling: number | undefined, values: readonly number[], what: string): void {
  if (ceiling === undefined) return;
  const highest = Math.max(0, ...values);
  assert.ok(highest <= ceiling, `${what}: ${highest} a second, and ${ceiling} is the most there can be`);
}

/** As shares of all looks: a machine that is busy with other work is late now and then. */
function assertPage(watched: PageWatched, size: number, context: TestContext): void {
  const { looks, counts, endedLooks, endedShown, begunLooks, begunMissing, duplicates } = watched;
  const farOff = counts.filter(({ shown, listed }) => Math.abs(shown - listed) > size / 10).length;
  const furthest = Math.max(...counts.map(({ shown, listed }) => Math.abs(shown - listed)));
  context.diagnostic(
    `${looks} looks, at most ${furthest} containers more or fewer than the engine lists; ${endedShown} of ${endedLooks} ` +
      `looks found one ended 5 s ago, ${begunMissing} of ${begunLooks} did not find one begun 5 s ago`,
  );
  assert.ok(looks > CHURN_MS / 4_000 && endedLooks > 0 && begunLooks > 0, `${looks} looks`);
  assert.deepEqual(duplicates, []);
  assert.ok(endedShown <= endedLooks / 100, `${endedShown} of ${endedLooks}`);
  assert.ok(begunMissing <= begunLooks / 100, `${begunMissing} of ${begunLooks}`);
  assert.ok(farOff <= looks / 20, `${farOff} of ${looks} looks, ${JSON.stringify(counts)}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function pointsOf(series: readonly QueryResult[]): number[] {
  return series.flatMap(({ points }) => points.map(({ value }) => value));
}

function byService(series: readonly QueryResult[]): Record<Service, number[]> {
  const of = (service: Service): number[] =>
    pointsOf(series.filter(({ labels }) => labels[SERVICE_LABEL] === service));
  return { idle: of("idle"), worker: of("worker"), web: of("web") };
}

function selector({ project }: ContainerCrowd): string {
  return `container_label_com_docker_compose_project="${project}"`;
}

function startsOnPage(page: string): number {
  return Number(/^flyball_collector_container_starts_total (\d+)$/mu.exec(page)?.[1] ?? 0);
}

function scrapeConfig(address: string, index: number): string {
  return JSON.stringify({
    scrape_configs: [
      {
        job_name: "flyball",
        scrape_interval: `${SCRAPE_SECONDS}s`,
        scrape_timeout: `${SCRAPE_SECONDS}s`,
        static_configs: [{ targets: [address] }],
        // The oldest asks for OpenMetrics by itself; the newer one is told to ask for the other format.
        ...(index === 0 ? {} : { scrape_protocols: ["PrometheusText0.0.4"] }),
      },
    ],
  });
}
