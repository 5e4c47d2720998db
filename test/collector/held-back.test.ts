import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { measurementOfStats } from "../../collector/discover/stats-answer.ts";
import {
  type HeldBackReading,
  heldBackRatioBetween,
  heldBackReadingOf,
} from "../../collector/read/held-back.ts";
import { Host } from "../../collector/read/reader.ts";
import { Sampler } from "../../collector/sampler.ts";

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";
const SCOPE = `sys/fs/cgroup/system.slice/docker-${ID}.scope`;
const MAX_GAP_MS = 5_000;

interface Tick {
  readonly usedSeconds: number;
  readonly periods?: number;
  readonly throttled?: number;
  readonly waitedSeconds?: number;
}

/** A machine of cgroup v2 whose one container is told what it did each second. */
function machine(limit: "max" | "20000" = "20000") {
  const root = mkdtempSync(join(tmpdir(), "flyball-held-back-"));
  cpSync(fileURLToPath(new URL("fixtures/v2-systemd", import.meta.url)), root, { recursive: true });
  const write = (file: string, text: string): void => writeFileSync(join(root, SCOPE, file), text);
  write("cpu.max", `${limit} 100000\n`);
  let nowMs = 1_000_000;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  const host = new Host(root);
  const sampler = new Sampler({ host, clock, maxGapMs: MAX_GAP_MS });
  sampler.setTargets([{ replica: ID, service: "shop_web", pid: 4242, kind: "container" }]);
  return {
    /** The share that the sample of this second has. */
    after({ usedSeconds, periods, throttled, waitedSeconds }: Tick, elapsedMs = 1_000): number | undefined {
      nowMs += elapsedMs;
      const lines = [`usage_usec ${usedSeconds * 1e6}`, "user_usec 0", "system_usec 0"];
      if (periods !== undefined) {
        lines.push(`nr_periods ${periods}`, `nr_throttled ${throttled ?? 0}`, "throttled_usec 0");
      }
      write("cpu.stat", `${lines.join("\n")}\n`);
      if (waitedSeconds !== undefined) {
        const total = Math.round(waitedSeconds * 1e6);
        write("cpu.pressure", `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`);
      }
      const [sample] = sampler.sample(0).samples;
      assert.ok(sample !== undefined);
      return sample.cpuHeldBackRatio;
    },
    without(file: string): void {
      rmSync(join(root, SCOPE, file));
    },
    [Symbol.dispose]() {
      sampler[Symbol.dispose]();
      rmSync(root, { recursive: true });
    },
  };
}

describe("the share of time in which CPU was wanted and not had", () => {
  test("is the larger of the periods that were cut short and of the time spent waiting", () => {
    using container = machine();
    assert.equal(
      container.after({ usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 }),
      undefined,
    );
    assert.equal(
      container.after({ usedSeconds: 10.2, periods: 110, throttled: 58, waitedSeconds: 1.5 }),
      0.8,
    );
    assert.equal(
      container.after({ usedSeconds: 10.4, periods: 120, throttled: 60, waitedSeconds: 2.25 }),
      0.75,
    );
    // Two seconds: a quarter of each was spent waiting.
    assert.equal(
      container.after({ usedSeconds: 10.8, periods: 140, throttled: 60, waitedSeconds: 2.75 }, 2_000),
      0.25,
    );
  });

  test("is no more than all of it, however late the kernel adds up", () => {
    using container = machine();
    container.after({ usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 });
    assert.equal(
      container.after({ usedSeconds: 10.2, periods: 104, throttled: 60, waitedSeconds: 2.004 }),
      1,
    );
  });

  test("is zero of one that stands still, also while its files are left out", () => {
    using container = machine();
    const still = { usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 };
    container.after(still);
    for (let second = 0; second < 25; second += 1) assert.equal(container.after(still), 0);
    assert.equal(container.after({ usedSeconds: 10.2, periods: 110, throttled: 60, waitedSeconds: 1 }), 1);
  });

  test("is not what the kernel counted after the last task had stopped", () => {
    using container = machine();
    container.after({ usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 });
    assert.equal(container.after({ usedSeconds: 10, periods: 101, throttled: 51, waitedSeconds: 1 }), 0);
    for (let second = 0; second < 25; second += 1) {
      assert.equal(container.after({ usedSeconds: 10, periods: 101, throttled: 51, waitedSeconds: 1 }), 0);
    }
  });

  test("without a limit is the time spent waiting, and without that unknown", () => {
    using container = machine("max");
    container.after({ usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 });
    assert.equal(
      container.after({ usedSeconds: 11, periods: 100, throttled: 50, waitedSeconds: 1.25 }),
      0.25,
    );
    using silent = machine("max");
    silent.without("cpu.pressure");
    silent.after({ usedSeconds: 10, periods: 0, throttled: 0 });
    assert.equal(silent.after({ usedSeconds: 11, periods: 0, throttled: 0 }), undefined);
  });

  test("without waiting times is what the limit says, and unknown while no period has ended", () => {
    using container = machine();
    container.without("cpu.pressure");
    container.after({ usedSeconds: 10, periods: 100, throttled: 50 });
    assert.equal(container.after({ usedSeconds: 10.1, periods: 100, throttled: 50 }), undefined);
    assert.equal(container.after({ usedSeconds: 10.2, periods: 102, throttled: 51 }), 0.5);
  });

  test("is unknown over a counter that fell and over a long gap, and known again after it", () => {
    using container = machine();
    container.after({ usedSeconds: 10, periods: 100, throttled: 50, waitedSeconds: 1 });
    assert.equal(
      container.after({ usedSeconds: 1, periods: 10, throttled: 5, waitedSeconds: 0.1 }),
      undefined,
    );
    assert.equal(container.after({ usedSeconds: 2, periods: 20, throttled: 10, waitedSeconds: 0.1 }), 0.5);
    const long = MAX_GAP_MS + 1;
    assert.equal(
      container.after({ usedSeconds: 3, periods: 30, throttled: 20, waitedSeconds: 1 }, long),
      undefined,
    );
    assert.equal(container.after({ usedSeconds: 4, periods: 40, throttled: 25, waitedSeconds: 1 }), 0.5);
  });

  test("comes from the engine's stats where there are no files", () => {
    const said = (usage: number, periods: number, throttled: number, atMs: number): HeldBackReading => {
      const measurement = measurementOfStats({
        cpu_stats: {
          cpu_usage: { total_usage: usage * 1e9 },
          throttling_data: { periods, throttled_periods: throttled, throttled_time: 0 },
        },
      });
      assert.ok(measurement !== undefined);
      return heldBackReadingOf(measurement, atMs);
    };
    assert.equal(heldBackRatioBetween(said(1, 10, 2, 0), said(2, 20, 9, 1_000), MAX_GAP_MS), 0.7);
    assert.equal(heldBackRatioBetween(said(1, 0, 0, 0), said(2, 0, 0, 1_000), MAX_GAP_MS), undefined);
    // The engine has nothing new to say: what it said is not said again.
    assert.equal(heldBackRatioBetween(said(1, 10, 2, 0), said(1, 10, 2, 0), MAX_GAP_MS), undefined);
  });

  test("lies between nothing and all, whatever was counted", () => {
    const count = fc.oneof(fc.nat(1_000), fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }));
    const reading: fc.Arbitrary<HeldBackReading> = fc.record(
      {
        atMonotonicMs: fc.nat(20_000),
        cpuUsageSeconds: count,
        throttling: fc.record({ periods: count, throttledPeriods: count }),
        waitingSeconds: count,
      },
      { requiredKeys: ["atMonotonicMs"] },
    );
    fc.assert(
      fc.property(reading, reading, (before, now) => {
        const ratio = heldBackRatioBetween(before, now, MAX_GAP_MS);
        assert.ok(ratio === undefined || (ratio >= 0 && ratio <= 1), String(ratio));
      }),
    );
  });
});
