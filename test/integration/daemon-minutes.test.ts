import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Minutes } from "../../collector/minutes.ts";
import { ServiceSeries } from "../../collector/service-series.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { MINUTE_MS, SECOND_MS } from "../../core/units.ts";
import { FlyballHouse, SERVICE } from "./flyball-daemon.ts";

test("what a service used in a minute is in the store when the minute is over", async (t) => {
  const house = await FlyballHouse.open(t);
  const file = house.compose(`  web:${SERVICE}`);
  await house.serve();
  await house.must("up", "-f", file);
  await house.untilHas(1);
  const startedAtMs = Date.now();
  // The end of the minute, and some readings of it before that.
  const minuteEndsAtMs = Math.ceil((startedAtMs + 5 * SECOND_MS) / MINUTE_MS) * MINUTE_MS;
  await sleep(minuteEndsAtMs - startedAtMs + 3 * SECOND_MS);
  await house.must("down", "-f", file);
  assert.equal(await house.stop(), 0);

  using store = new Store(house.dataDirectory);
  const minutes = new Minutes({ store, series: new ServiceSeries(), log: createLog("silent") });
  const kept = minutes.read(house.serviceId(), 0, Number.MAX_SAFE_INTEGER);
  const last = kept.find(({ atMs }) => atMs === minuteEndsAtMs - MINUTE_MS);
  assert.ok(last !== undefined, JSON.stringify(kept));
  assert.equal(last.replicas, 1);
  assert.ok(last.readings > 1, JSON.stringify(last));
  assert.ok((last.memoryWorkingSetBytes ?? 0) > 0, JSON.stringify(last));
});
