import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, freemem, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { HostFilesystems } from "../../../collector/host/host-filesystems.ts";
import { HostReader } from "../../../collector/host/host-reader.ts";
import { systemClock } from "../../../core/clock.ts";
import { pageOf, pagesOf, round, seriesOf } from "../expose/readings.ts";

const FILES = {
  "proc/stat": [
    "cpu  300 20 100 5000 60 7 8 9 0 0",
    "cpu0 100 10 50 2500 30 3 4 5 0 0",
    "cpu1 200 10 50 2500 30 4 4 4 0 0",
    "intr 7700722 0 0 0",
    "ctxt 18529354",
    "btime 1700000000",
    "processes 4321",
    "procs_running 3",
    "procs_blocked 1",
    "softirq 1 2 3",
  ].join("\n"),
  "proc/meminfo":
    "MemTotal: 1000 kB\nMemFree: 400 kB\nInactive(file): 100 kB\nAnonPages: 50 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nHugePages_Total: 0\n",
  "proc/vmstat": "pgfault 1000\npgmajfault 5\noom_kill 2\n",
  "proc/loadavg": "2.36 3.00 3.03 1/295 2209\n",
  "proc/diskstats": [
    "   7       0 loop0 1 1 1 1 1 1 1 1 1 1 1",
    " 254       0 vda 163489 15815 7457490 93570 376639 197143 21446280 175228 2 47736 288928 138969 112 14248352 14172 79467 5956",
    " 254       1 vda1 1 0 8 0 0 0 0 0 0 0 0",
    " 253       0 zram0 0 0 0 0 0 0 0 0 0 0 0",
  ].join("\n"),
  "proc/1/net/dev": [
    "Inter-|   Receive",
    " face |bytes",
    "    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0",
    "  eth0:20971520   15000    1    2    0     0          0         0  1048576     900    3    4    0     0       0          0",
    "vethd5bc630: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0",
  ].join("\n"),
  "proc/pressure/cpu":
    "some avg10=24.92 avg60=31.16 avg300=34.53 total=797417512\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
};

function machine(files: Readonly<Record<string, string>>): { root: string } & Disposable {
  const root = mkdtempSync(join(tmpdir(), "flyball-host-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

describe("the machine", () => {
  test("is shown under the names of a node exporter, and as the root of all containers", async () => {
    using files = machine(FILES);
    using reader = new HostReader({ root: files.root, clock: systemClock });
    const pages = pagesOf();
    pages.update(round([], { host: () => reader.read() }));
    const lines = seriesOf(await pageOf(pages));
    for (const line of [
      "machine_cpu_cores 2",
      "machine_memory_bytes 1024000",
      'node_cpu_seconds_total{cpu="1",mode="user"} 2',
      'node_cpu_seconds_total{cpu="0",mode="idle"} 25',
      "node_load1 2.36",
      "node_boot_time_seconds 1700000000",
      "node_context_switches_total 18529354",
      "node_forks_total 4321",
      "node_procs_running 3",
      "node_memory_Inactive_file_bytes 102400",
      "node_vmstat_pgfault 1000",
      'node_disk_read_bytes_total{device="vda"} 3818234880',
      'node_disk_io_now{device="vda"} 2',
      'node_disk_io_time_seconds_total{device="vda"} 47.736',
      'node_network_receive_bytes_total{device="eth0"} 20971520',
      "node_pressure_cpu_waiting_seconds_total 797.417512",
      'container_cpu_usage_seconds_total{id="/",cpu="total"} 4.35',
      'container_memory_usage_bytes{id="/"} 614400',
      'container_memory_working_set_bytes{id="/"} 512000',
      'container_network_transmit_bytes_total{id="/",interface="eth0"} 1048576',
      'container_fs_reads_bytes_total{id="/",device="/dev/vda"} 3818234880',
      'container_oom_events_total{id="/"} 2',
      'container_start_time_seconds{id="/"} 1700000000',
    ]) {
      assert.ok(lines.includes(line), `${line} is there`);
    }
    assert.deepEqual(
      lines.filter((line) =>
        /veth|loop0|zram|"\/dev\/vda1"|pressure_io|\{id="\/",(?:name|image)/u.test(line),
      ),
      [],
    );
  });

  test("of which nothing can be read has no values", async () => {
    using files = machine({});
    using reader = new HostReader({ root: files.root, clock: systemClock });
    const pages = pagesOf();
    pages.update(round([], { host: () => reader.read() }));
    const names = seriesOf(await pageOf(pages)).map((line) => line.replace(/[{ ].*/u, ""));
    assert.deepEqual(names, ["container_last_seen", "node_time_seconds"]);
  });

  test("that this runs on is read as it is", async () => {
    using reader = new HostReader({ clock: systemClock });
    const host = reader.read();
    assert.equal(host.cpus.length, cpus().length);
    assert.equal(host.memory.get("MemTotal"), totalmem());
    const { memoryUsageBytes = 0, memoryWorkingSetBytes = 0 } = host.root;
    // What could be had at once is less than what is not used at all.
    assert.ok(memoryUsageBytes >= totalmem() - freemem() && memoryUsageBytes < totalmem());
    assert.ok(memoryWorkingSetBytes > 0 && memoryWorkingSetBytes < memoryUsageBytes);
    const later = reader.read();
    assert.ok((later.root.cpuUsageSeconds ?? 0) >= (host.root.cpuUsageSeconds ?? Infinity));

    using filesystems = new HostFilesystems("/");
    await filesystems.look();
    while (filesystems.found.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const root = filesystems.found.find(({ mountPoint }) => mountPoint === "/");
    assert.ok(root === undefined || (root.sizeBytes > 0 && root.freeBytes <= root.sizeBytes));
  });
});
