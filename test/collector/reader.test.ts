import assert from "node:assert/strict";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { GoneError } from "../../collector/read/kept-file.ts";
import type { MeasurementReader } from "../../collector/read/measurement.ts";
import { Host, openReader } from "../../collector/read/reader.ts";
import { REST, SPIN, sleep, startChild, type TestChild } from "./busy-child.ts";

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";

const recorded = (name: string) => new Host(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)));
const container = (pid: number, replica = ID) => ({
  replica,
  service: "shop_web",
  pid,
  kind: "container" as const,
});
const process_ = (pid: number, replica = "web-1") => ({
  replica,
  service: "shop_web",
  pid,
  kind: "process" as const,
});

/** A tree of files in the place of a machine's root. */
function machine(files: Readonly<Record<string, string>>): { root: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), "flyball-machine-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

describe("a container", () => {
  test("on v1 is read from each controller's hierarchy", () => {
    using reader = openReader(container(4242), recorded("v1-cgroupfs"));
    assert.deepEqual(reader.read(), {
      cpuUsageSeconds: 1.284795729,
      cpuThrottledSeconds: 1.011277395,
      memoryUsageBytes: 38_522_880,
      memoryWorkingSetBytes: 38_522_880 - 73_728,
    });
  });

  for (const [where, pid] of [
    ["in its scope", 4242],
    ["whose first process is further down", 4343],
  ] as const) {
    test(`on v2, ${where}, is read from the one hierarchy`, () => {
      using reader = openReader(container(pid), recorded("v2-systemd"));
      assert.deepEqual(reader.read(), {
        cpuUsageSeconds: 81.437532,
        cpuThrottledSeconds: 5.230417,
        memoryUsageBytes: 268_435_456,
        memoryWorkingSetBytes: 268_435_456 - 67_108_864,
      });
    });
  }

  test("on a hybrid host is read from where each controller is", () => {
    using files = machine({
      "proc/self/mountinfo": [
        "31 25 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        "33 25 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
      ].join("\n"),
      "proc/7/cgroup": `4:memory:/docker/${ID}\n0::/docker/${ID}\n`,
      [`sys/fs/cgroup/memory/docker/${ID}/memory.usage_in_bytes`]: "5000\n",
      [`sys/fs/cgroup/memory/docker/${ID}/memory.stat`]: "inactive_file 1\ntotal_inactive_file 7000\n",
      [`sys/fs/cgroup/unified/docker/${ID}/cpu.stat`]: "usage_usec 2500000\nuser_usec 1\n",
    });
    using reader = openReader(container(7), new Host(files.root));
    // No throttling: that controller is not there. The working set is never below zero.
    assert.deepEqual(reader.read(), {
      cpuUsageSeconds: 2.5,
      memoryUsageBytes: 5_000,
      memoryWorkingSetBytes: 0,
    });
  });

  test("lacks the values whose files hold no number, and keeps the others", () => {
    using files = machine({
      "proc/self/mountinfo": "29 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
      "proc/7/cgroup": `0::/${ID}\n`,
      [`sys/fs/cgroup/${ID}/cpu.stat`]: "usage_usec lots\nnew_field 1\n",
      [`sys/fs/cgroup/${ID}/memory.current`]: "1000\n",
      [`sys/fs/cgroup/${ID}/memory.stat`]: "",
    });
    using reader = openReader(container(7), new Host(files.root));
    assert.deepEqual(reader.read(), { memoryUsageBytes: 1_000 });
  });

  test("whose process is in no cgroup of that id is not read at all", () => {
    assert.throws(
      () => openReader(container(4242, "another"), recorded("v1-cgroupfs")),
      /no readable cgroup of another/u,
    );
  });

  test("whose process is gone is gone", () => {
    assert.throws(() => openReader(container(999), recorded("v2-systemd")), GoneError);
  });
});

const V1 = ["cpu", "cpuacct", "memory"].map((controller) => `/sys/fs/cgroup/${controller}`);

function v1IsWritable(): boolean {
  try {
    for (const directory of V1) accessSync(join(directory, "cgroup.procs"), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Moves a process into a new cgroup of that path in each hierarchy; `end` ends it and removes them. */
function withCgroup(path: string, child: TestChild): { end(): Promise<void> } & AsyncDisposable {
  for (const controller of V1) {
    mkdirSync(join(controller, path), { recursive: true });
    writeFileSync(join(controller, path, "cgroup.procs"), String(child.pid));
  }
  const end = async (): Promise<void> => {
    await child.end();
    for (const controller of V1) if (existsSync(join(controller, path))) rmdirSync(join(controller, path));
  };
  return { end, [Symbol.asyncDispose]: end };
}

const skipWithoutV1 = !v1IsWritable() && "needs writable cgroup v1 hierarchies under /sys/fs/cgroup";

describe("a real cgroup", () => {
  test("of v1 is read as its files say, and says itself that it ended", { skip: skipWithoutV1 }, async () => {
    const name = `flyball-test-${process.pid}`;
    await using child = await startChild(SPIN);
    await using cgroup = withCgroup(name, child);
    using reader = openReader(container(child.pid, name), new Host());
    const seconds = () => Number(readFileSync(`/sys/fs/cgroup/cpuacct/${name}/cpuacct.usage`, "utf8")) / 1e9;
    await sleep(300);
    const before = seconds();
    const { cpuUsageSeconds = Number.NaN, memoryWorkingSetBytes = 0 } = reader.read();
    const after = seconds();
    assert.ok(before > 0 && before <= cpuUsageSeconds && cpuUsageSeconds <= after);
    assert.ok(memoryWorkingSetBytes > 0);
    await cgroup.end();
    assert.throws(() => reader.read(), GoneError);
  });

  test("that the process engine made is read in place of the process tree", {
    skip: skipWithoutV1,
  }, async () => {
    const top = `flyball-test-${process.pid}`;
    await using child = await startChild(REST);
    await child.said("resting");
    try {
      await using _cgroup = withCgroup(`${top}/flyball/one/web-1`, child);
      using reader = openReader(process_(child.pid), new Host());
      const { cpuUsageSeconds = Number.NaN, cpuThrottledSeconds } = reader.read();
      // Only a cgroup knows throttling, and does not know what was used before the process came into it.
      assert.equal(cpuThrottledSeconds, 0);
      assert.ok(cpuUsageSeconds < cpuSecondsOf(child.pid));
    } finally {
      for (const controller of V1) {
        for (const path of [`${top}/flyball/one`, `${top}/flyball`, top]) rmdirSync(join(controller, path));
      }
    }
  });
});

/** User and system time in seconds, as the kernel says at this moment. */
function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function cpuOf(reader: MeasurementReader, host: Host): number {
  host.beginRound();
  return reader.read().cpuUsageSeconds ?? Number.NaN;
}

describe("a process tree", () => {
  test("that spins uses what /proc says it does", async () => {
    await using child = await startChild(SPIN);
    await child.said("spinning");
    const host = new Host();
    using reader = openReader(process_(child.pid), host);
    const [measuredFrom, trueFrom] = [cpuOf(reader, host), cpuSecondsOf(child.pid)];
    await sleep(1_000);
    const [measuredTo, trueTo] = [cpuOf(reader, host), cpuSecondsOf(child.pid)];
    assert.ok(trueTo > trueFrom, "the child did work");
    const ratio = (measuredTo - measuredFrom) / (trueTo - trueFrom);
    assert.ok(ratio > 0.5 && ratio < 1.2, `measured ${ratio} of the truth`);
  });

  test("counts the children, and does not fall when they end", async () => {
    const burn =
      "const used = () => { const { user, system } = process.cpuUsage(); return user + system; };" +
      "const end = used() + 3e5; while (used() < end);";
    await using child = await startChild(`
      const { spawn } = require("node:child_process");
      console.log("ready");
      setTimeout(() => {
        spawn(process.execPath, ["-e", ${JSON.stringify(burn)}]).on("exit", () => console.log("child ended"));
      }, 200);
      setInterval(() => {}, 1e6);
    `);
    const host = new Host();
    await child.said("ready");
    using reader = openReader(process_(child.pid), host);
    const seen = [cpuOf(reader, host)];
    let ended = false;
    const end = child.said("child ended").then(() => {
      ended = true;
    });
    while (!ended) {
      await sleep(50);
      seen.push(cpuOf(reader, host));
    }
    await end;
    seen.push(cpuOf(reader, host), cpuOf(reader, host));
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
    assert.ok((seen.at(-1) ?? 0) - (seen[0] ?? 0) >= 0.25, `the child's time is in ${seen}`);
  });

  test("holds as much memory as its processes, shared pages once in the working set", async () => {
    await using child = await startChild(`
      require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(REST)}])
        .stdout.on("data", () => console.log("both"));
      setInterval(() => {}, 1e6);
    `);
    await child.said("both");
    using reader = openReader(process_(child.pid), new Host());
    const { memoryUsageBytes = 0, memoryWorkingSetBytes = 0 } = reader.read();
    const kib = Number(/VmRSS:\s+(\d+) kB/u.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
    assert.ok(memoryUsageBytes > kib * 1024 * 1.5, "two processes hold more than one");
    assert.ok(memoryWorkingSetBytes < memoryUsageBytes);
    assert.ok(memoryWorkingSetBytes > 0);
  });

  test("is gone when its last process ended", async () => {
    const child = await startChild(REST);
    await child.said("resting");
    const host = new Host();
    using reader = openReader(process_(child.pid), host);
    reader.read();
    await child.end();
    host.beginRound();
    assert.throws(() => reader.read(), GoneError);
  });

  test("of a process that leads nothing is not guessed", async () => {
    await using child = await startChild(REST, { lead: false });
    assert.throws(
      () => openReader(process_(child.pid), new Host()),
      /leads neither a session nor a process group/u,
    );
  });

  test("keeps no descriptor when it is disposed of", async () => {
    await using child = await startChild(SPIN);
    await child.said("spinning");
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const reader = openReader(process_(child.pid), new Host());
    reader.read();
    assert.ok(descriptors() > before);
    reader[Symbol.dispose]();
    assert.equal(descriptors(), before);
  });
});
