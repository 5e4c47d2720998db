import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  Cgroups,
  DEFAULT_CGROUP_ROOT,
  findHierarchies,
} from "../../../../orchestrator/engines/process/cgroup.ts";
import { limitWrites, parseOomKills } from "../../../../orchestrator/engines/process/cgroup-limits.ts";
import { eventually, Lab, noCgroups, serviceOf, shell } from "./harness.ts";

const LIMITS = { limitCores: 1.5, limitMemoryBytes: 64 * 2 ** 20, limitPids: 20 };

describe("limits as the kernel reads them", () => {
  test("version 1 has a period and a quota, version 2 both in one file", () => {
    assert.deepEqual(
      limitWrites(1, LIMITS).flatMap(({ writes }) => writes),
      [
        ["cpu.cfs_period_us", "100000"],
        ["cpu.cfs_quota_us", "150000"],
        ["memory.limit_in_bytes", "67108864"],
        ["pids.max", "20"],
      ],
    );
    assert.deepEqual(
      limitWrites(2, LIMITS).flatMap(({ writes }) => writes),
      [
        ["cpu.max", "150000 100000"],
        ["memory.max", "67108864"],
        ["pids.max", "20"],
      ],
    );
    assert.deepEqual(limitWrites(2, {}), []);
    assert.deepEqual(limitWrites(2, { limitCores: 0.001 })[0]?.writes, [["cpu.max", "1000 100000"]]);
  });

  test("kills for want of memory are counted in either version's words", () => {
    assert.equal(parseOomKills("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"), 2);
    assert.equal(parseOomKills("low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n"), 0);
    assert.equal(parseOomKills("oom_kill_disable 0\nunder_oom 0\n"), undefined);
  });
});

describe("the cgroup tree", () => {
  test("version 2: controllers are handed down, and the replica's own directory has its limits", async (t) => {
    const { directory } = await Lab.open(t);
    await writeFile(join(directory, "cgroup.controllers"), "cpuset cpu io memory pids\n");
    for (const level of ["", "flyball", "flyball/one"]) {
      await mkdir(join(directory, level), { recursive: true });
      await writeFile(join(directory, level, "cgroup.subtree_control"), "cpu memory pids\n");
    }
    const cgroups = new Cgroups(directory, "one");
    assert.deepEqual(cgroups.notEnforced(LIMITS), []);
    assert.deepEqual(await cgroups.create("web", LIMITS), []);
    const own = join(directory, "flyball/one/web");
    assert.deepEqual((await readdir(own)).sort(), ["cpu.max", "memory.max", "pids.max"]);
    assert.deepEqual(cgroups.join("web", 4711, LIMITS), []);
    assert.equal(await readFile(join(own, "cgroup.procs"), "utf8"), "4711");
    await writeFile(join(own, "memory.events"), "oom 1\noom_kill 1\n");
    assert.equal(cgroups.oomKilled("web"), true);
  });

  test("version 2: a controller that the tree does not have is named with its limit", async (t) => {
    const { directory } = await Lab.open(t);
    await writeFile(join(directory, "cgroup.controllers"), "memory\n");
    const problems = new Cgroups(directory, "one").notEnforced(LIMITS);
    assert.deepEqual(problems, [
      `cpu limit: no cpu controller under ${directory}`,
      `pids limit: no pids controller under ${directory}`,
    ]);
  });

  test("version 1: two controllers of one tree are one tree", async (t) => {
    const { directory } = await Lab.open(t);
    for (const name of ["cpu", "memory"]) {
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, "cgroup.procs"), "");
    }
    const { version, hierarchies } = findHierarchies(directory);
    assert.equal(version, 1);
    assert.deepEqual(
      hierarchies.map(({ controllers }) => controllers),
      [["cpu"], ["memory"]],
    );
  });

  test("without cgroups a limit is said not to be enforced, by the check and on the replica", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine({ cgroupRoot: null });
    const id = await driver.run(shell("exec sleep 600", { resources: { limitCores: 1 } }));
    assert.deepEqual((await driver.seen(id)).notEnforced, ["cpu limit: cgroups are switched off"]);
    await driver.stop(id);
    assert.deepEqual(lab.running(), []);
  });
});

describe("limits of a real process", { skip: noCgroups() }, () => {
  test("a replica runs in its own cgroup from its first moment, with its limits", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      serviceOf({ command: ["cat", "/proc/self/cgroup"], resources: { limitCores: 0.5, limitPids: 30 } }),
    );
    await driver.until(id, "exited");
    const path = `/flyball/${lab.instanceId}/${id}`;
    const log = await driver.log(id);
    for (const controller of ["cpu", "cpuacct", "memory", "pids"]) {
      assert.match(log, new RegExp(`:(?:.*,)?${controller}(?:,.*)?:${path}\n`, "u"));
    }
    assert.deepEqual((await driver.seen(id)).notEnforced, []);
    const read = (file: string): Promise<string> => readFile(join(DEFAULT_CGROUP_ROOT, file), "utf8");
    assert.equal((await read(`cpu${path}/cpu.cfs_quota_us`)).trim(), "50000");
    assert.equal((await read(`pids${path}/pids.max`)).trim(), "30");
    await driver.remove(id);
    assert.ok(!existsSync(join(DEFAULT_CGROUP_ROOT, "cpu", path)));
  });

  test("a busy replica is held back to its cores", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const id = await driver.run(
      shell("while :; do :; done", { resources: { limitCores: 0.1 }, stopGraceMs: 0 }),
    );
    const path = join(DEFAULT_CGROUP_ROOT, "cpu/flyball", lab.instanceId, id, "cpu.stat");
    await eventually("it was held back", async () =>
      /^nr_throttled [1-9]/mu.test(await readFile(path, "utf8")) ? true : undefined,
    );
  });

  test("too much memory ends it, and that is seen", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const hog = "const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))";
    const id = await driver.run(
      serviceOf({ command: [process.execPath, "-e", hog], resources: { limitMemoryBytes: 64 * 2 ** 20 } }),
    );
    const seen = await driver.until(id, "exited");
    assert.equal(seen.oomKilled, true);
    assert.equal(seen.exitCode, 137);
  });

  test("too many processes are refused to it", async (t) => {
    const lab = await Lab.open(t);
    const driver = await lab.engine();
    const fork = "i=0; while [ $i -lt 20 ]; do sleep 600 & i=$((i+1)); done; wait";
    const id = await driver.run(shell(fork, { resources: { limitPids: 5 }, stopGraceMs: 100 }));
    await driver.wrote(id, /fork/u);
    assert.ok(lab.running().length <= 5);
  });

  test("cgroups of replicas that are no more go when the next engine opens", async (t) => {
    const lab = await Lab.open(t);
    const left = join(DEFAULT_CGROUP_ROOT, "memory", "flyball", lab.instanceId, "left-over");
    await mkdir(left, { recursive: true });
    await lab.engine();
    await eventually("it is gone", () => (existsSync(left) ? undefined : true));
  });
});
