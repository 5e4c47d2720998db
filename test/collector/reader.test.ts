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
import type { Measurement } from "../../collector/read/measurement.ts";
import { Host, openReader, type Reader } from "../../collector/read/reader.ts";
import { REST, SPIN, sleep, startChild, type TestChild } from "./busy-child.ts";

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";

const recorded = (name: string) => new Host(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)));
const container = (pid: number, id = ID) => ({ id, pid, kind: "container" as const });
const process_ = (pid: number, id = "web-1") => ({ id, pid, kind: "process" as const });

/** What the reader knows, without what it looks at seldom. */
function valuesOf(reader: Reader): Partial<Measurement> {
  const { details: _, ...values } = reader.read();
  const isKnown = (value: unknown) => (Array.isArray(value) ? value.length > 0 : value !== undefined);
  return Object.fromEntries(Object.entries(values).filter(([, value]) => isKnown(value)));
}

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
    assert.deepEqual(valuesOf(reader), {
      cpuUsageSeconds: 1.284795729,
      cpuUserSeconds: 1.26,
      cpuSystemSeconds: 0.02,
      cpuPeriods: 27,
      cpuThrottledPeriods: 23,
      cpuThrottledSeconds: 1.011277395,
      memoryUsageBytes: 38_522_880,
      memoryWorkingSetBytes: 38_522_880 - 73_728,
      memoryRssBytes: 37_695_488,
      memoryCacheBytes: 323_584,
      memorySwapBytes: 0,
      memoryMappedFileBytes: 32_768,
      memoryActiveFileBytes: 249_856,
      memoryInactiveFileBytes: 73_728,
      memoryDirtyBytes: 0,
      memoryWritebackBytes: 0,
      pageFaults: 9_594,
      pageFaultsBelow: 9_594,
      majorPageFaults: 2,
      majorPageFaultsBelow: 2,
      refaultedAnonPages: 0,
      refaultedFilePages: 79,
      memoryMaxUsageBytes: 40_000_000,
      memoryLimitHits: 3,
      oomKills: 2,
      threads: 2,
      devices: [{ name: "254:0", readBytes: 1_048_576, writeBytes: 1_060_864, reads: 32, writes: 259 }],
    });
    assert.deepEqual(reader.read().details, {
      memoryLimitBytes: 67_108_864,
      memoryReservationBytes: Infinity,
      cpuQuotaMicroseconds: Infinity,
      cpuPeriodMicroseconds: 100_000,
      cpuShares: 1_024,
      threadsMax: 100,
    });
  });

  for (const [where, pid] of [
    ["in its scope", 4242],
    ["whose first process is further down", 4343],
  ] as const) {
    test(`on v2, ${where}, is read from the one hierarchy`, () => {
      using reader = openReader(container(pid), recorded("v2-systemd"));
      assert.deepEqual(valuesOf(reader), {
        cpuUsageSeconds: 81.437532,
        cpuUserSeconds: 60.112008,
        cpuSystemSeconds: 21.325524,
        cpuPeriods: 2_004,
        cpuThrottledPeriods: 118,
        cpuThrottledSeconds: 5.230417,
        memoryUsageBytes: 268_435_456,
        memoryWorkingSetBytes: 268_435_456 - 67_108_864,
        memoryRssBytes: 150_994_944,
        memoryCacheBytes: 100_663_296,
        memorySwapBytes: 0,
        memoryMappedFileBytes: 33_554_432,
        memoryActiveFileBytes: 33_550_336,
        memoryInactiveFileBytes: 67_108_864,
        memoryDirtyBytes: 0,
        memoryWritebackBytes: 0,
        pageFaultsBelow: 2_031_412,
        majorPageFaultsBelow: 38,
        refaultedAnonPages: 0,
        refaultedFilePages: 1_412,
        memoryMaxUsageBytes: 300_000_000,
        memoryLimitHits: 7,
        oomKills: 1,
        threads: 12,
        cpuWaitingSeconds: 13.097768,
        cpuStalledSeconds: 0.097768,
        memoryWaitingSeconds: 2.5,
        memoryStalledSeconds: 1.5,
        ioWaitingSeconds: 0.75,
        ioStalledSeconds: 0,
        interfaces: [
          {
            name: "eth0",
            receiveBytes: 20_971_520,
            receivePackets: 15_000,
            receiveErrors: 1,
            receiveDropped: 2,
            transmitBytes: 1_048_576,
            transmitPackets: 900,
            transmitErrors: 3,
            transmitDropped: 4,
          },
        ],
        devices: [
          { name: "/dev/vda", readBytes: 1_048_576, writeBytes: 52_428_800, reads: 32, writes: 400 },
          { name: "/dev/dm-1", readBytes: 4_096, writeBytes: 0, reads: 1, writes: 0 },
        ],
      });
      const { startedAtSeconds, ...limits } = reader.read().details;
      assert.equal(startedAtSeconds, pid === 4242 ? 1_700_000_887 : undefined);
      assert.deepEqual(limits, {
        memoryLimitBytes: 536_870_912,
        memoryReservationBytes: 134_217_728,
        memorySwapLimitBytes: 536_870_912,
        cpuQuotaMicroseconds: 50_000,
        cpuPeriodMicroseconds: 100_000,
        cpuShares: 998,
        threadsMax: Infinity,
      });
    });
  }

  for (const network of ["host", "shared", "none"] as const) {
    test(`whose network is ${network} has no interfaces`, () => {
      using reader = openReader({ ...container(4242), network }, recorded("v2-systemd"));
      assert.deepEqual(reader.read().interfaces, []);
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
    assert.deepEqual(valuesOf(reader), {
      cpuUsageSeconds: 2.5,
      cpuUserSeconds: 0.000001,
      memoryUsageBytes: 5_000,
      memoryWorkingSetBytes: 0,
      memoryInactiveFileBytes: 7_000,
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
    assert.deepEqual(valuesOf(reader), { memoryUsageBytes: 1_000 });
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

function cpuOf(reader: Reader, host: Host): number {
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
