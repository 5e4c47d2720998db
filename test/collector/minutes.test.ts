import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { Minutes } from "../../collector/minutes.ts";
import { type ServiceReading, ServiceSeries, serviceReading } from "../../collector/service-series.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { DAY_MS, MINUTE_MS } from "../../core/units.ts";

const WEB = "shop_web";
const START_MS = 1_000 * MINUTE_MS;

interface Kept {
  readonly store: Store;
  readonly series: ServiceSeries;
  readonly minutes: Minutes;
  readonly logged: string[];
}

function kept(t: TestContext, directory = mkdtempSync(join(tmpdir(), "flyball-minutes-"))): Kept {
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const store = new Store(directory);
  t.after(() => store[Symbol.dispose]());
  const logged: string[] = [];
  const log = createLog("info", { write: (line: string) => logged.push(JSON.parse(line).msg) });
  const series = new ServiceSeries();
  return { store, series, minutes: new Minutes({ store, series, log }), logged };
}

/** Reads the service once a second from one instant to before another. */
function read({ series, minutes }: Kept, fromMs: number, toMs: number, reading: ServiceReading): void {
  for (let atMs = fromMs; atMs < toMs; atMs += 1_000) {
    series.append(WEB, atMs, reading);
    minutes.tick(atMs);
  }
}

describe("a service's reading", () => {
  test("is the sum and the mean of its replicas, and the busiest of them", () => {
    const samples = [
      { replica: "a", readAtMs: 0, cpuCores: 0.25, memoryWorkingSetBytes: 100 },
      { replica: "b", readAtMs: 0, cpuCores: 0.75, memoryWorkingSetBytes: 300 },
    ];
    assert.deepEqual(serviceReading(samples, { cpuCores: 1, memoryBytes: 400 }), {
      replicas: 2,
      cpuCores: 1,
      cpuRatio: 0.5,
      cpuMaxRatio: 0.75,
      memoryWorkingSetBytes: 400,
      memoryRatio: 0.5,
      memoryMaxRatio: 0.75,
    });
  });

  test("is the sum of the requests that its replicas answered", () => {
    const samples = [
      { replica: "a", readAtMs: 0, requestsPerSecond: 3, latencyMs: 10 },
      { replica: "b", readAtMs: 0, requestsPerSecond: 4.5 },
      { replica: "silent", readAtMs: 0 },
    ];
    assert.deepEqual(serviceReading(samples, { cpuCores: 1 }), { replicas: 3, requestsPerSecond: 7.5 });
  });

  test("leaves out what no replica gave, and counts none of it as zero", () => {
    const samples = [
      { replica: "new", readAtMs: 0 },
      { replica: "old", readAtMs: 0, cpuCores: 0.5 },
    ];
    assert.deepEqual(serviceReading(samples, { cpuCores: 0.5 }), {
      replicas: 2,
      cpuCores: 0.5,
      cpuRatio: 1,
      cpuMaxRatio: 1,
    });
    assert.equal(serviceReading([], { cpuCores: 1 }), undefined);
  });
});

describe("the minutes of a service", () => {
  test("hold the mean of its requests, beside minutes of before they were known", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + MINUTE_MS, { replicas: 1 });
    read(all, START_MS + MINUTE_MS, START_MS + 1.5 * MINUTE_MS, { replicas: 1, requestsPerSecond: 10 });
    read(all, START_MS + 1.5 * MINUTE_MS, START_MS + 2 * MINUTE_MS + 1, {
      replicas: 1,
      requestsPerSecond: 20,
    });
    assert.deepEqual(
      all.minutes.read(WEB, 0, 2 * START_MS).map(({ requestsPerSecond }) => requestsPerSecond),
      [undefined, 15],
    );
  });

  test("are written when the next one begins, from the readings of that minute only", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + MINUTE_MS, { replicas: 2, cpuCores: 1, cpuRatio: 0.5, cpuMaxRatio: 0.75 });
    assert.deepEqual(all.minutes.read(WEB, 0, 2 * START_MS), []);
    read(all, START_MS + MINUTE_MS, START_MS + MINUTE_MS + 1, { replicas: 9, cpuCores: 9 });
    assert.deepEqual(all.minutes.read(WEB, 0, 2 * START_MS), [
      {
        atMs: START_MS,
        readings: 60,
        replicas: 2,
        cpuCores: 1,
        cpuMaxCores: 1,
        cpuRatio: 0.5,
        cpuMaxRatio: 0.75,
      },
    ]);
  });

  test("hold the highest instant beside the mean", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + 45_000, { replicas: 1, cpuCores: 1, memoryWorkingSetBytes: 1_000 });
    read(all, START_MS + 45_000, START_MS + 61_000, {
      replicas: 3,
      cpuCores: 5,
      memoryWorkingSetBytes: 5_000,
    });
    const [minute] = all.minutes.read(WEB, START_MS, START_MS + MINUTE_MS);
    assert.equal(minute?.replicas, 1.5);
    assert.deepEqual([minute?.cpuCores, minute?.cpuMaxCores], [2, 5]);
    assert.deepEqual([minute?.memoryWorkingSetBytes, minute?.memoryMaxWorkingSetBytes], [2_000, 5_000]);
  });

  test("that nothing was read in do not exist, and one cut short by a gap is kept", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + 20_000, { replicas: 1 });
    read(all, START_MS + 3 * MINUTE_MS, START_MS + 4 * MINUTE_MS + 1_000, { replicas: 1 });
    assert.deepEqual(
      all.minutes.read(WEB, 0, 2 * START_MS).map(({ atMs, readings }) => [atMs, readings]),
      [
        [START_MS, 20],
        [START_MS + 3 * MINUTE_MS, 60],
      ],
    );
  });

  test("come to again by a clock that was set back are written over", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + MINUTE_MS + 1_000, { replicas: 1 });
    read(all, START_MS, START_MS + MINUTE_MS + 1_000, { replicas: 4 });
    assert.deepEqual(
      all.minutes.read(WEB, 0, 2 * START_MS).map(({ replicas }) => replicas),
      [4],
    );
  });

  test("are dropped after four weeks, and the service with the last of them", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + 2 * MINUTE_MS + 1_000, { replicas: 1 });
    all.minutes.prune(START_MS + 28 * DAY_MS + MINUTE_MS);
    assert.deepEqual(
      all.minutes.read(WEB, 0, 2 * START_MS).map(({ atMs }) => atMs),
      [START_MS + MINUTE_MS],
    );
    all.minutes.prune(START_MS + 29 * DAY_MS);
    assert.equal(all.store.get("SELECT 1 FROM minute_services"), undefined);
  });

  test("are there when the store is opened again", (t) => {
    const directory = mkdtempSync(join(tmpdir(), "flyball-minutes-"));
    {
      using store = new Store(directory);
      const series = new ServiceSeries();
      const minutes = new Minutes({ store, series, log: createLog("silent") });
      read({ store, series, minutes, logged: [] }, START_MS, START_MS + MINUTE_MS + 1_000, { replicas: 1 });
    }
    assert.equal(kept(t, directory).minutes.read(WEB, START_MS, START_MS + MINUTE_MS).length, 1);
  });

  test("that cannot be written are lost, which is said once, and those after them are kept", (t) => {
    const all = kept(t);
    all.store.run("ALTER TABLE minutes RENAME TO elsewhere");
    read(all, START_MS, START_MS + 3 * MINUTE_MS, { replicas: 1 });
    assert.deepEqual(all.logged, [
      "the minutes of the services cannot be written, and are lost until they can",
    ]);
    all.store.run("ALTER TABLE elsewhere RENAME TO minutes");
    read(all, START_MS + 3 * MINUTE_MS, START_MS + 5 * MINUTE_MS, { replicas: 1 });
    assert.deepEqual(
      all.minutes.read(WEB, 0, 2 * START_MS).map(({ atMs }) => atMs),
      [START_MS + 2 * MINUTE_MS, START_MS + 3 * MINUTE_MS],
    );
    assert.deepEqual(all.logged.slice(1), ["the minutes of the services are kept again"]);
  });
});

describe("a disk that is full", () => {
  test("costs minutes and nothing else, and none of a minute is kept by halves", (t) => {
    const all = kept(t);
    const names = Array.from({ length: 200 }, (_, index) => `shop_${"x".repeat(100)}${index}`);
    const second = (atMs: number) => {
      for (const name of names) all.series.append(name, atMs, { replicas: 1, cpuCores: 0.3 });
      all.minutes.tick(atMs);
    };
    const keptCount = () => all.store.get("SELECT count(*) AS count FROM minutes")?.["count"];
    // SQLite's own word for it: the file may not grow any more.
    all.store.get("PRAGMA max_page_count = 1");
    for (let minute = 0; minute < 3; minute += 1) second(START_MS + minute * MINUTE_MS);
    assert.equal(keptCount(), 0);
    assert.equal(all.logged.length, 1);
    assert.equal(all.series.points(names[0] ?? "", "cpuCores", 0).length, 3);

    all.store.get("PRAGMA max_page_count = 100000");
    second(START_MS + 3 * MINUTE_MS);
    assert.equal(keptCount(), names.length);
  });
});

describe("the series of a service", () => {
  test("stay when nothing is read for a while, and go after an hour of silence", (t) => {
    const all = kept(t);
    read(all, START_MS, START_MS + 1_000, { replicas: 1, cpuCores: 2 });
    all.minutes.tick(START_MS + 50 * MINUTE_MS);
    assert.deepEqual(all.series.points(WEB, "cpuCores", 0), [{ atMs: START_MS, value: 2 }]);
    all.minutes.tick(START_MS + 61 * MINUTE_MS);
    assert.deepEqual([...all.series.services], []);
  });
});
