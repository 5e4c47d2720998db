import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Host } from "../../collector/read/reader.ts";
import { Sampler } from "../../collector/sampler.ts";
import { systemClock } from "../../core/clock.ts";
import type { Target } from "../../core/types.ts";
import { REST, SPIN, sleep, startChild } from "./busy-child.ts";

const MAX_GAP_MS = 60_000;
const target = (replica: string, pid: number, kind: Target["kind"] = "process"): Target => ({
  replica,
  service: "shop_web",
  pid,
  kind,
});

describe("a round of samples", () => {
  test("has the CPU in use from the second reading of the same process on", async () => {
    await using first = await startChild(SPIN);
    await using second = await startChild(SPIN);
    using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: MAX_GAP_MS });
    const coresAtEachOf = async (rounds: number) => {
      const cores: (number | undefined)[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await sleep(100);
        cores.push(sampler.sample(round).samples[0]?.cpuCores);
      }
      return cores.map((value) => value !== undefined);
    };
    sampler.setTargets([target("web-1", first.pid)]);
    assert.deepEqual(await coresAtEachOf(2), [false, true]);
    // The same list again changes nothing; another process in the replica starts anew.
    sampler.setTargets([target("web-1", first.pid)]);
    assert.deepEqual(await coresAtEachOf(1), [true]);
    sampler.setTargets([target("web-1", second.pid)]);
    assert.deepEqual(await coresAtEachOf(2), [false, true]);
  });

  test("says each time of a target that cannot be read why, and reads the others", async () => {
    await using child = await startChild(REST);
    using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: MAX_GAP_MS });
    sampler.setTargets([target("no-cgroup", child.pid, "container"), target("web-1", child.pid)]);
    for (const tick of [1, 2]) {
      const batch = sampler.sample(tick);
      assert.deepEqual(
        batch.samples.map((sample) => sample.replica),
        ["web-1"],
      );
      assert.match(batch.missed[0]?.reason ?? "", /no readable cgroup of no-cgroup/u);
    }
  });

  test("tries a target that ended again when a list names it again", () => {
    const root = fileURLToPath(new URL("fixtures/v2-systemd", import.meta.url));
    using sampler = new Sampler({ host: new Host(root), clock: systemClock, maxGapMs: MAX_GAP_MS });
    const list = [target("gone", 999, "container")];
    const missedInRounds = () => [1, 2].map((tick) => sampler.sample(tick).missed.length);
    sampler.setTargets(list);
    assert.deepEqual(missedInRounds(), [1, 0]);
    sampler.setTargets(list);
    assert.deepEqual(missedInRounds(), [1, 0]);
  });

  test("leaves nothing open for targets that are not in the list any more", async () => {
    await using child = await startChild(REST);
    await child.said("resting");
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: MAX_GAP_MS });
    for (let round = 0; round < 20; round += 1) {
      sampler.setTargets([target("web-1", child.pid), target("no-cgroup", child.pid, "container")]);
      sampler.sample(round);
      sampler.setTargets([]);
    }
    assert.equal(descriptors(), before);
  });
});

describe("a round in slices", () => {
  test("reads what a round at once does, and lets what waits have its turn in between", async () => {
    await using first = await startChild(REST);
    await using second = await startChild(REST);
    // A clock by which each reading takes longer than a slice.
    let nowMs = 0;
    const slow = { nowMs: () => nowMs, monotonicMs: () => (nowMs += 10) };
    using sampler = new Sampler({ host: new Host(), clock: slow, maxGapMs: MAX_GAP_MS });
    sampler.setTargets([target("web-1", first.pid), target("web-2", second.pid)]);
    const order: string[] = [];
    const round = sampler.sampleInSlices(1).then(({ samples }) => {
      order.push(`round of ${samples.length}`);
    });
    setImmediate(() => order.push("another's turn"));
    await round;
    assert.deepEqual(order, ["another's turn", "round of 2"]);
    assert.deepEqual([...sampler.measurements.keys()], ["web-1", "web-2"]);
  });

  test("survives that the list changes in between", async () => {
    await using first = await startChild(REST);
    await using second = await startChild(REST);
    let nowMs = 0;
    const slow = { nowMs: () => nowMs, monotonicMs: () => (nowMs += 10) };
    using sampler = new Sampler({ host: new Host(), clock: slow, maxGapMs: MAX_GAP_MS });
    sampler.setTargets([target("web-1", first.pid), target("web-2", second.pid)]);
    const round = sampler.sampleInSlices(1);
    sampler.setTargets([target("web-1", first.pid)]);
    const { samples, missed } = await round;
    assert.deepEqual([samples.map(({ replica }) => replica), missed], [["web-1"], []]);
  });

  test("shows with each measurement what was found out elsewhere", async () => {
    await using child = await startChild(REST);
    using sampler = new Sampler({ host: new Host(), clock: systemClock, maxGapMs: MAX_GAP_MS });
    sampler.setTargets([target("web-1", child.pid)]);
    sampler.sample(0);
    assert.deepEqual(sampler.pidsOf("web-1"), [child.pid]);
    sampler.note("web-1", { openFiles: 7 });
    sampler.note("gone", { openFiles: 8 });
    sampler.sample(1);
    const { details, memoryUsageBytes = 0 } = sampler.measurements.get("web-1") ?? {};
    assert.equal(details?.openFiles, 7);
    assert.ok((details?.startedAtSeconds ?? 0) > 0 && memoryUsageBytes > 0);
    assert.deepEqual(sampler.pidsOf("gone"), []);
  });
});
