import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GoneError } from "../../collector/read/kept-file.ts";
import type { Measurement } from "../../collector/read/measurement.ts";
import { Host, openReader } from "../../collector/read/reader.ts";
import type { Compared } from "./cgroup-v2-report.ts";
import { mustRun } from "./command.ts";

/**
 * What runs in the virtual machine, as its only program: makes cgroups as the engines make them, lets processes in them
 * do what is known beforehand, and prints what the collector's readers say of them beside what the kernel says.
 */

const ROOT = "/sys/fs/cgroup";
const MIB = 1024 * 1024;
const MB = 1_000_000;
const BUSY_MS = 5_000;
const PATIENCE_MS = 60_000;

type KernelValue = () => number;

class Group {
  readonly id: string;
  readonly directory: string;
  readonly #children: ChildProcess[] = [];

  /** At the path in which `ID` stands for its id; with limits as in `{ "cpu.max": "50000 100000" }`. */
  constructor(path: string, limits: Readonly<Record<string, string>> = {}) {
    this.id = `${path.length}`.padStart(64, "0123456789abcdef");
    const segments = path.replace("ID", this.id).split("/");
    let directory = ROOT;
    for (const segment of segments) {
      appendFileSync(join(directory, "cgroup.subtree_control"), "+cpu +memory +io +pids");
      directory = join(directory, segment);
      mkdirSync(directory, { recursive: true });
    }
    this.directory = directory;
    for (const [file, text] of Object.entries(limits)) writeFileSync(join(directory, file), text);
  }

  /** Runs a shell's command in it, or in a group below, and gives its pid. */
  run(command: string, below = ""): number {
    const directory = join(this.directory, below);
    mkdirSync(directory, { recursive: true });
    const child = spawn("sh", ["-c", `echo $$ > ${directory}/cgroup.procs && ${command}`], {
      stdio: "ignore",
    });
    this.#children.push(child);
    if (child.pid === undefined) throw new Error("sh cannot be started");
    return child.pid;
  }

  /** What the collector says of it now. */
  read(pid: number): Measurement {
    using reader = openReader({ id: this.id, pid, kind: "container" }, new Host());
    return reader.read();
  }

  /** A number of one of its files: the whole of it, or the one behind a key. */
  value(file: string, key = ""): KernelValue {
    return () => {
      const text = readFileSync(join(this.directory, file), "utf8");
      const found = key === "" ? text : new RegExp(`(?:^|\\s)${key}[ =](\\d+)`, "m").exec(text)?.[1];
      if (found === undefined) throw new Error(`no ${key} in ${file}: ${text}`);
      return Number(found);
    };
  }

  /** Ends what runs in it, and removes it. */
  async end(): Promise<void> {
    writeFileSync(join(this.directory, "cgroup.kill"), "1");
    for (const child of this.#children)
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await until("the group is empty", () => this.value("cgroup.events", "populated")() === 0);
    rmdirSync(this.directory);
  }
}

const compared: Compared[] = [];

type Wanted = readonly (readonly [
  what: string,
  kernel: KernelValue,
  ours: (measurement: Measurement) => number | undefined,
  truth?: number,
])[];

function compare(read: () => Measurement, wanted: Wanted): Measurement {
  const before = wanted.map(([, kernel]) => kernel());
  const measurement = read();
  const after = wanted.map(([, kernel]) => kernel());
  for (const [index, [what, , ours, truth]] of wanted.entries()) {
    const value = ours(measurement);
    compared.push({
      what,
      ...(value !== undefined && { ours: value }),
      kernelBefore: before[index] ?? Number.NaN,
      kernelAfter: after[index] ?? Number.NaN,
      ...(truth !== undefined && { truth }),
    });
  }
  return measurement;
}

/** As the systemd driver makes it. */
async function burnHalfACore(): Promise<void> {
  const group = new Group("system.slice/docker-ID.scope", { "cpu.max": "50000 100000", "cpu.weight": "200" });
  const pid = group.run("while :; do :; done");
  await sleep(1_000);
  const [first, firstAtMs] = [group.read(pid), performance.now()];
  await sleep(BUSY_MS);
  const seconds =
    (key: string): KernelValue =>
    () =>
      group.value("cpu.stat", key)() / 1e6;
  const pressure: KernelValue = () => group.value("cpu.pressure", "some .*total")() / 1e6;
  const second = compare(
    () => group.read(pid),
    [
      ["CPU seconds", seconds("usage_usec"), ({ cpuUsageSeconds }) => cpuUsageSeconds],
      ["CPU seconds of the user", seconds("user_usec"), ({ cpuUserSeconds }) => cpuUserSeconds],
      ["CPU seconds of the kernel", seconds("system_usec"), ({ cpuSystemSeconds }) => cpuSystemSeconds],
      ["periods", group.value("cpu.stat", "nr_periods"), ({ cpuPeriods }) => cpuPeriods],
      ["throttled periods", group.value("cpu.stat", "nr_throttled"), (read) => read.cpuThrottledPeriods],
      ["throttled seconds", seconds("throttled_usec"), ({ cpuThrottledSeconds }) => cpuThrottledSeconds],
      ["CPU waiting seconds", pressure, ({ cpuWaitingSeconds }) => cpuWaitingSeconds],
      ["quota", () => 50_000, ({ details }) => details.cpuQuotaMicroseconds, 50_000],
      ["period", () => 100_000, ({ details }) => details.cpuPeriodMicroseconds, 100_000],
      ["threads", group.value("pids.current"), ({ threads }) => threads, 1],
    ],
  );
  const cores =
    ((second.cpuUsageSeconds ?? 0) - (first.cpuUsageSeconds ?? 0)) /
    ((performance.now() - firstAtMs) / 1_000);
  compared.push({ what: "cores", ours: cores, kernelBefore: cores, kernelAfter: cores, truth: 0.5 });
  await group.end();
}

/** As the cgroupfs driver makes it, with an init in it that made a group below. */
async function holdMemory(): Promise<void> {
  const group = new Group("docker/ID", { "memory.max": String(512 * MIB) });
  // dd has it all at once, and cannot get rid of it.
  const pid = group.run(`dd if=/dev/zero bs=${200 * MIB} count=1 | sleep 1000`, "init");
  const memory = (key: string): KernelValue => group.value("memory.stat", key);
  await until("it holds it", () => memory("anon")() >= 200 * MIB);
  compare(
    () => group.read(pid),
    [
      ["memory", group.value("memory.current"), ({ memoryUsageBytes }) => memoryUsageBytes],
      ["anonymous memory", memory("anon"), ({ memoryRssBytes }) => memoryRssBytes, 200 * MIB],
      ["page cache", memory("file"), ({ memoryCacheBytes }) => memoryCacheBytes],
      [
        "working set",
        () => group.value("memory.current")() - memory("inactive_file")(),
        ({ memoryWorkingSetBytes }) => memoryWorkingSetBytes,
      ],
      ["most memory", group.value("memory.peak"), ({ memoryMaxUsageBytes }) => memoryMaxUsageBytes],
      ["page faults", memory("pgfault"), ({ pageFaultsBelow }) => pageFaultsBelow],
      ["memory limit", group.value("memory.max"), ({ details }) => details.memoryLimitBytes, 512 * MIB],
      ["threads with those below", group.value("pids.current"), ({ threads }) => threads],
    ],
  );
  writeFileSync(join(group.directory, "cgroup.kill"), "1");
  await until("the group below is empty", () => group.value("cgroup.events", "populated")() === 0);
  rmdirSync(join(group.directory, "init"));
  await group.end();
}

/** As rootless Podman makes it; through the page cache to a real filesystem on a disk. */
async function writeToDisk(): Promise<void> {
  const group = new Group("user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope");
  const pid = group.run("dd if=/dev/zero of=/disk/file bs=1000000 count=50 conv=fsync && sleep 1000");
  await until(
    "it is written",
    () => readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("sleep") || hasSleep(group),
  );
  const writes = (measurement: Measurement) =>
    measurement.devices.find(({ name }) => name === "/dev/nvme0n1");
  compare(
    () => group.read(pid),
    [
      ["bytes written", group.value("io.stat", "wbytes"), (read) => writes(read)?.writeBytes, 50 * MB],
      ["writes", group.value("io.stat", "wios"), (read) => writes(read)?.writes],
      [
        "page cache of the file",
        group.value("memory.stat", "file"),
        ({ memoryCacheBytes }) => memoryCacheBytes,
        50 * MB,
      ],
    ],
  );
  await group.end();
}

/** Through a network of its own. */
async function sendFile(): Promise<void> {
  const group = new Group("kubepods.slice/cri-containerd-ID.scope");
  await mustRun("sh", ["-c", "mkdir -p /www && dd if=/dev/zero of=/www/file bs=1000000 count=20"]);
  const pid = group.run("exec unshare -n httpd -f -h /www -p 80");
  await until("it has a network of its own", () =>
    readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("httpd"),
  );
  for (const command of [
    // The other end has the kernel's name for it: busybox can give it none.
    "ip link add outer type veth && ip link set veth0 name eth0",
    `ip link set eth0 netns ${pid}`,
    "ip addr add 10.0.0.1/24 dev outer",
    "ip link set outer up",
    `nsenter -t ${pid} -n ip addr add 10.0.0.2/24 dev eth0`,
    `nsenter -t ${pid} -n ip link set eth0 up`,
  ]) {
    await mustRun("sh", ["-c", command]);
  }
  let bytes = 0;
  await until("it answers", async () => {
    bytes = await download("http://10.0.0.2/file").catch(() => 0);
    return bytes > 0;
  });
  // Seen from the other end of the cable.
  const counted =
    (name: string): KernelValue =>
    () =>
      Number(readFileSync(`/sys/class/net/outer/statistics/${name}`, "utf8"));
  const eth0 = (measurement: Measurement) => measurement.interfaces.find(({ name }) => name === "eth0");
  compare(
    () => group.read(pid),
    [
      ["bytes sent", counted("rx_bytes"), (read) => eth0(read)?.transmitBytes, bytes],
      ["bytes received", counted("tx_bytes"), (read) => eth0(read)?.receiveBytes],
      ["packets sent", counted("rx_packets"), (read) => eth0(read)?.transmitPackets],
    ],
  );
  await group.end();
}

async function runOutOfMemory(): Promise<void> {
  const group = new Group("docker/ID-memory", { "memory.max": String(32 * MIB), "memory.oom.group": "0" });
  const pid = group.run("dd if=/dev/zero of=/dev/null bs=100000000 count=1; sleep 1000");
  await until("it is killed", () => group.value("memory.events", "oom_kill")() > 0 && hasSleep(group));
  compare(
    () => group.read(pid),
    [
      ["OOM kills", group.value("memory.events", "oom_kill"), ({ oomKills }) => oomKills, 1],
      ["limit hits", group.value("memory.events", "max"), ({ memoryLimitHits }) => memoryLimitHits],
    ],
  );
  await group.end();
}

/** A reader that is kept says so at once when its group is removed. */
async function disappear(): Promise<void> {
  const group = new Group("docker/ID-gone");
  const pid = group.run("sleep 1000");
  await until("it runs", () => hasSleep(group));
  using reader = openReader({ id: group.id, pid, kind: "container" }, new Host());
  reader.read();
  await group.end();
  let gone = 0;
  try {
    reader.read();
  } catch (error) {
    gone = Number(error instanceof GoneError);
  }
  compared.push({ what: "the end is seen", ours: gone, kernelBefore: 1, kernelAfter: 1, truth: 1 });
}

function hasSleep(group: Group): boolean {
  const pids = readFileSync(join(group.directory, "cgroup.procs"), "latin1").trim().split("\n");
  return pids.some((pid) => {
    const comm = `/proc/${pid}/comm`;
    return existsSync(comm) && readFileSync(comm, "latin1").startsWith("sleep");
  });
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${what}`);
    await sleep(50);
  }
}

function download(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () => resolve(bytes));
      response.on("error", reject);
    }).on("error", reject);
  });
}

for (const scene of [burnHalfACore, holdMemory, writeToDisk, sendFile, runOutOfMemory, disappear])
  await scene();
process.stdout.write(JSON.stringify(compared));
