import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { Client } from "../../cli/client.ts";
import type { BacktestRequest, DaemonCode } from "../../cli/daemon-door.ts";
import { fetchHistory } from "../../cli/history.ts";
import { renderVerdicts, verdictsOn, verdictsWithoutDaemon } from "../../cli/verdict.ts";
import { DAY_MS, MINUTE_MS } from "../../core/units.ts";
import { backtest } from "../../scaler/backtest/run.ts";
import { policyOf, targetOf } from "../scaler/builders.ts";
import { daemonCodeDouble } from "./daemon-code-double.ts";
import { NO_SUCH_PROJECT, startRecordedDaemon } from "./recorded-daemon.ts";

const NOW_MS = 20_000 * DAY_MS;
const change = { service: "shop_web", before: policyOf(), after: targetOf() };

/** Answers histories in pieces of six hours, of a service that has been there for so many days. */
async function daemonWith(days: number) {
  const control = { silentBeforeMs: 0 };
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://daemon");
    const fromMs = Number(searchParams.get("from"));
    const endMs = Number(searchParams.get("to"));
    const toMs = Math.min(endMs, fromMs + DAY_MS / 4);
    if (fromMs < control.silentBeforeMs) return;
    const minutes = [];
    for (let atMs = Math.max(fromMs, NOW_MS - days * DAY_MS); atMs < toMs; atMs += MINUTE_MS) {
      minutes.push({ atMs, readings: 60, replicas: 3, demand: { cpu: 2 + Math.sin(atMs / 4e6) } });
    }
    const next = toMs < endMs ? { nextFromMs: toMs } : {};
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        service: "shop_web",
        fromMs,
        toMs,
        ...next,
        resources: {},
        startupMs: 4_000,
        minutes,
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  return Object.assign(control, {
    client: new Client({ address: `http://127.0.0.1:${port}` }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  });
}

/** The backtest is the real one; each takes at least so long. */
function codeThatTakes(ms: number) {
  const requests: BacktestRequest[] = [];
  const code: DaemonCode = {
    ...daemonCodeDouble().code,
    runBacktest: async (request) => {
      requests.push(request);
      await new Promise((resolve) => setTimeout(resolve, ms));
      return backtest(request);
    },
  };
  return { code, requests };
}

describe("a verdict on labels that change", () => {
  test("compares the two over what there is of the last days", async () => {
    await using daemon = await daemonWith(3);
    const { code, requests } = codeThatTakes(0);
    const [verdict] = await verdictsOn([change], daemon.client, code, NOW_MS);
    assert.match(
      renderVerdicts(verdict === undefined ? [] : [verdict])[0] ?? "",
      /^verdict: shop_web: cost [\d.]+ -> [\d.]+, overload [\d.]+ % -> [\d.]+ %, [\d.]+ -> [\d.]+ changes an hour, over \d days? of its own load/,
    );
    assert.ok(requests.every(({ startDelayMs }) => startDelayMs === 4_000));
    assert.notDeepEqual(verdict?.measured?.before, verdict?.measured?.after);
  });

  test("takes fewer days when more would take too long, and says so", async () => {
    await using daemon = await daemonWith(7);
    const { code } = codeThatTakes(400);
    const [verdict] = await verdictsOn([change], daemon.client, code, NOW_MS);
    assert.match(
      verdict?.sentence ?? "",
      /over 1 day of its own load, of 7 days that are there: more would take too long$/,
    );
    assert.equal((verdict?.measured?.toMs ?? 0) - (verdict?.measured?.fromMs ?? 0), DAY_MS);
  });

  test("leaves out services that come when the time is used up", async () => {
    await using daemon = await daemonWith(1);
    const { code } = codeThatTakes(1_100);
    const [first, second] = await verdictsOn([change, change], daemon.client, code, NOW_MS);
    assert.ok(first?.measured !== undefined);
    assert.match(second?.sentence ?? "", /^no verdict: others took the time of the plan/);
  });

  test("of labels that are new is against the count that there is", async () => {
    await using daemon = await daemonWith(1);
    const { code } = codeThatTakes(0);
    const [verdict] = await verdictsOn(
      [{ service: "shop_web", after: targetOf() }],
      daemon.client,
      code,
      NOW_MS,
    );
    assert.match(
      verdict?.sentence ?? "",
      / 0 -> [\d.]+ changes an hour, over 1 day .*now it has 3 all the time$/,
    );
    assert.equal(verdict?.measured?.before.meanReplicas, 3);
  });

  test("takes a day of history, and none is said of a service that the daemon does not know", async () => {
    await using daemon = await daemonWith(0.5);
    const { code } = codeThatTakes(0);
    const [verdict] = await verdictsOn([change], daemon.client, code, NOW_MS);
    assert.match(
      verdict?.sentence ?? "",
      /^no verdict: a day of its own load is needed, and its load is known for 12h$/,
    );

    const span = `from=${NOW_MS - DAY_MS}&to=${NOW_MS}`;
    await using other = await startRecordedDaemon({
      [`GET /v1/services/shop_web/history?${span}`]: NO_SUCH_PROJECT,
    });
    assert.deepEqual(await verdictsOn([change], new Client(other), code, NOW_MS), []);
  });

  test("cannot be had without a daemon, which is said of services that run", () => {
    const [verdict, ...others] = verdictsWithoutDaemon([change, { service: "shop_new", after: targetOf() }]);
    assert.match(verdict?.sentence ?? "", /^no verdict: its history is the daemon's to tell/);
    assert.deepEqual(others, []);
  });
});

describe("the history of a service", () => {
  test("is fetched whole, however much a daemon answers at once, and is in order", async () => {
    await using daemon = await daemonWith(3);
    const history = await fetchHistory(daemon.client, "shop_web", {
      fromMs: NOW_MS - 5 * DAY_MS,
      toMs: NOW_MS,
    });
    assert.equal(history.minutes.length, 3 * 1_440);
    assert.ok(history.minutes.every(({ atMs }, index) => atMs === NOW_MS - 3 * DAY_MS + index * MINUTE_MS));
    assert.equal(history.fromMs, NOW_MS - 5 * DAY_MS);
  });

  test("is that of the newest day when there is no time for more", async () => {
    await using daemon = await daemonWith(3);
    daemon.silentBeforeMs = NOW_MS - DAY_MS;
    const span = { fromMs: NOW_MS - 3 * DAY_MS, toMs: NOW_MS };
    const history = await fetchHistory(daemon.client, "shop_web", { ...span, withinMs: 1_000 });
    assert.deepEqual([history.fromMs, history.minutes.length], [NOW_MS - DAY_MS, 1_440]);
  });
});
