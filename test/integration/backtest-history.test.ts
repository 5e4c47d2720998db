import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { BacktestReport } from "../../cli/daemon-door.ts";
import type { Verdict } from "../../cli/verdict.ts";
import { Minutes } from "../../collector/minutes.ts";
import { ServiceSeries } from "../../collector/service-series.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../core/units.ts";
import { eventually, FlyballHouse } from "./flyball-daemon.ts";

const CORES = 0.5;

function web(...labels: string[]): string {
  return `  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
    stop_grace_period: 2s
    labels:
${labels.map((label) => `      ${label}`).join("\n")}
    deploy: { resources: { limits: { cpus: "${CORES}" } } }
`;
}

/** A busy afternoon each day, in cores of the service as a whole, and a peak of a few minutes each hour. */
function coresAt(atMs: number): number {
  const day = 1.5 - Math.cos((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS);
  return atMs % HOUR_MS < 4 * MINUTE_MS ? 1.6 * day : day;
}

/** Writes the past of a service that no daemon was there to see, through what writes it when one is. */
function writePast(house: FlyballHouse, days: number, gapMinutes = 0): void {
  using store = new Store(house.dataDirectory);
  const series = new ServiceSeries();
  const minutes = new Minutes({ store, series, log: createLog("silent") });
  const endMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  const gapMs = endMs - (days * DAY_MS) / 2;
  for (let atMs = endMs - days * DAY_MS; atMs <= endMs; atMs += MINUTE_MS) {
    const isGap = atMs >= gapMs && atMs < gapMs + gapMinutes * MINUTE_MS;
    if (!isGap) series.append(house.serviceId(), atMs, { replicas: 3, cpuCores: coresAt(atMs) });
    minutes.tick(atMs);
  }
}

async function houseWithPast(t: TestContext, days: number, gapMinutes = 0): Promise<FlyballHouse> {
  const house = await FlyballHouse.open(t);
  const file = house.compose(web('autoscale.max_cpu: "70"', 'autoscale.max: "20"'));
  writePast(house, days, gapMinutes);
  await house.serve();
  await house.must("up", "-f", file);
  await eventually("the service is evaluated", async () => {
    return (await house.client.service(house.serviceId())).lastDecision !== undefined;
  });
  return house;
}

const json = async <T>(house: FlyballHouse, ...words: string[]): Promise<T> => {
  const { status, stdout, stderr } = await house.flyball(...words, "--json");
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
};

const lastDay = () => ({ fromMs: Date.now() - DAY_MS, toMs: Date.now() });

const STEPS = ["autoscale.max_cpu=70", "autoscale.min_cpu=30", "autoscale.step=2", "autoscale.max=20"];

describe("the history of a service", () => {
  test("is replayed with its own labels and with others, and a plan compares the two", async (t) => {
    const house = await houseWithPast(t, 4, 30);
    const history = await house.client.history(house.serviceId(), { fromMs: 0, toMs: Date.now() });
    assert.equal(history.scaling?.maxReplicas, 20);
    assert.deepEqual(history.resources, { limitCores: CORES });

    const printed = await house.must("backtest", "--service", "web", "--compare", "hpa,oracle");
    assert.match(printed, /^warning: \S+_web: 1 gap, 30 samples are missing; the value before/m);
    assert.match(
      printed,
      /_web: 57\d\d samples, one each 1m; 4d(?:\d+m)? scored in steps of 5s; 1\.\.20 replicas/,
    );
    assert.match(printed, /^flyball .*\nhpa 70 % .*\noracle /m);

    const changed = house.compose(web(...STEPS.map((label) => label.replace(/=(.*)/, ': "$1"'))));
    const plan = await json<{ verdicts: Verdict[] }>(house, "plan", "-f", changed);
    const [verdict, ...others] = plan.verdicts;
    assert.deepEqual(others, []);
    assert.equal(verdict?.service, house.serviceId());
    const { measured } = verdict;
    assert.ok(measured !== undefined, verdict.sentence);
    const span = ["--from", String(measured.fromMs), "--to", String(measured.toMs)];
    const delay = ["--start-delay", `${measured.startDelaySeconds * 1_000}ms`];
    const replay = (...words: string[]) =>
      json<BacktestReport>(house, "backtest", "--service", "web", ...span, ...delay, ...words);
    const scores = async (...words: string[]) => (await replay(...words)).policies[0]?.scores;
    assert.deepEqual(measured.before, await scores());
    assert.deepEqual(measured.after, await scores("--labels", STEPS.join(",")));
    assert.notDeepEqual(measured.before, measured.after);

    const sentence =
      /^verdict: \S+_web: cost [\d.]+ -> [\d.]+, overload [\d.]+ % -> [\d.]+ %, [\d.]+ -> [\d.]+ changes an hour, over [\d.]+ days? of its own load/m;
    assert.match(await house.must("plan", "-f", changed), sentence);
    // The daemon goes on with the rules that it had, until they are applied.
    assert.equal((await house.client.history(house.serviceId(), lastDay())).scaling?.kind, "target");
    assert.match(await house.must("up", "-f", changed), sentence);
    assert.deepEqual((await json<{ verdicts: Verdict[] }>(house, "plan", "-f", changed)).verdicts, []);
  });

  test("of a few hours is too short for a verdict, of a service without rules shows what they would do", async (t) => {
    const house = await houseWithPast(t, 0.25);
    const file = house.compose(web('autoscale.max_cpu: "50"'));
    const verdict =
      /^verdict: \S+_web: no verdict: a day of its own load is needed, and its load is known for 6h/m;
    assert.match(await house.must("plan", "-f", file), verdict);
    const { hours } =
      (await json<BacktestReport>(house, "backtest", "--service", "web")).policies[0]?.scores ?? {};
    assert.ok((hours ?? 0) >= 6 && (hours ?? 0) < 7, String(hours));
  });

  test("that cannot be replayed is refused with the reason", async (t) => {
    const house = await FlyballHouse.open(t);
    const backtest = (...words: string[]) => house.flyball("backtest", "--service", "web", ...words);
    assert.match((await backtest()).stderr, /^DAEMON_UNREACHABLE: no daemon answers at /);

    await house.serve();
    const unscaled = house.compose(web("a.label: b"));
    await house.must("up", "-f", unscaled);
    const labels = ["--labels", "autoscale.max_cpu=70"];
    const refusals: [string[], number, RegExp][] = [
      [[], 3, /^NOT_SCALABLE: \S+_web has no scaling rule: expected --labels to replay/],
      [labels, 3, /^NOT_FOUND: there is no history of the cpu of \S+_web in that time/],
      [
        ["--labels", "autoscale.query=up,autoscale.query_max=3"],
        3,
        /^NOT_SCALABLE: \S+_web has no rule on cpu or memory/,
      ],
      [["--labels", "autoscale.max_cpu=lots"], 2, /^LABEL_INVALID: /],
      [[...labels, "--from", "1h", "--to", "2h"], 2, /^CONFIG_INVALID: expected --from to be before --to/],
      [[...labels, "--trace", "a.csv"], 2, /cannot be used with option '--trace <file>'/],
    ];
    for (const [words, status, message] of refusals) {
      const end = await backtest(...words);
      assert.match(end.stderr, message);
      assert.equal(end.status, status, end.stderr);
    }
    const nobody = await house.flyball("backtest", "--service", "wbe", ...labels);
    assert.match(nobody.stderr, /^NOT_FOUND: there is no service wbe: did you mean web\?/);

    await house.stop();
    writePast(house, 0.5 / 24);
    await house.serve();
    assert.match(
      (await backtest(...labels)).stderr,
      /^REQUEST_INVALID: expected an hour of history of \S+_web, got 3\dm/,
    );
  });
});
