import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { HostReader } from "../../collector/host/host-reader.ts";
import {
  parseDisks,
  parseKeyed,
  parseLoads,
  parseMeminfo,
  parseMounts,
  parseStat,
} from "../../collector/host/host-text.ts";
import { parseDeviceNames } from "../../collector/read/block-devices.ts";
import { parseBlkio, parseIoStat } from "../../collector/read/block-io.ts";
import { cgroupDirectories, containerCgroup, parseCgroupMounts } from "../../collector/read/cgroup-paths.ts";
import { unsignedAt } from "../../collector/read/kernel-text.ts";
import { KeyedNumbers } from "../../collector/read/keyed-numbers.ts";
import { parseMachineUnits } from "../../collector/read/machine-units.ts";
import { mountDevices } from "../../collector/read/mount-devices.ts";
import { parseNetDev } from "../../collector/read/net-dev.ts";
import { parsePressure } from "../../collector/read/pressure.ts";
import { parseBootTime, parseProcStat, parseProcStatm } from "../../collector/read/proc-stat.ts";
import { parseOpenFilesLimit } from "../../collector/read/processes-look.ts";
import { Host, openReader } from "../../collector/read/reader.ts";
import { systemClock } from "../../core/clock.ts";

/** Bytes of every kind, and often such as look like the kernel's. */
const content = fc
  .oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .array(
        fc.constantFrom("usage_usec", " ", "\n", "0", "17", "max", "-1", ":", "/", "(", ")", "S", "9999999"),
        {
          maxLength: 60,
        },
      )
      .map((parts) => Buffer.from(parts.join(""))),
  )
  .map((bytes) => ({ bytes, text: bytes.toString("latin1") }));

describe("whatever a kernel file holds", () => {
  test("a number is read from it, or none, and never NaN or below zero", () => {
    fc.assert(
      fc.property(content, fc.nat(300), ({ bytes }, from) => {
        const value = unsignedAt(bytes, from, bytes.length);
        assert.ok(value === undefined || (Number.isFinite(value) && value >= 0));
      }),
    );
  });

  test("a process's state is read from it whole, or not at all", () => {
    fc.assert(
      fc.property(content, ({ text, bytes }) => {
        const stat = parseProcStat(text);
        const statm = parseProcStatm(text);
        const units = parseMachineUnits(bytes);
        for (const value of [...Object.values(stat ?? {}), ...Object.values(statm ?? {}), units.pageBytes]) {
          assert.ok(typeof value === "boolean" || Number.isFinite(value));
        }
      }),
    );
  });

  test("cgroups are found from it, or none", () => {
    fc.assert(
      fc.property(content, content, (cgroup, mountinfo) => {
        cgroupDirectories(cgroup.text, parseCgroupMounts(mountinfo.text), containerCgroup("17"));
      }),
    );
  });

  test("a process of any name is read as what it is", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const rest = "S 3 40 40 0 -1 4194304 103 0 0 0 11 22 33 44 20 0 1 0 88700 3133440 417";
        assert.deepEqual(parseProcStat(`41 (${name}) ${rest}`), {
          pid: 41,
          parentPid: 3,
          processGroup: 40,
          session: 40,
          ended: false,
          ownTicks: 33,
          childrenTicks: 77,
          startTicks: 88_700,
        });
      }),
    );
  });

  test("the parsers of every file give numbers or nothing", () => {
    fc.assert(
      fc.property(content, ({ bytes, text }) => {
        const file = { bytes, length: bytes.length };
        const keyed = new KeyedNumbers(["usage_usec", "0", "max"]);
        keyed.parse(bytes, bytes.length);
        assertNumbers([
          [keyed.get(0), keyed.get(1), keyed.get(2)],
          parsePressure(file),
          parseNetDev(file, []),
          parseBlkio(file),
          parseIoStat(file),
          parseStat(text, 100),
          [...parseMeminfo(text).values()],
          [...parseKeyed(text).values()],
          parseLoads(text),
          parseDisks(text),
          parseOpenFilesLimit(text),
          parseBootTime(text),
        ]);
        parseDeviceNames(text);
        parseMounts(text);
        mountDevices(text);
      }),
    );
  });

  test("keys are found wherever the kernel moves them between two readings", () => {
    const lines = fc.uniqueArray(
      fc.constantFrom("anon", "file", "file_mapped", "inactive_file", "kernel", "slab"),
    );
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 4 }), (files) => {
        const wanted = ["file", "inactive_file", "anon"] as const;
        const keyed = new KeyedNumbers(wanted);
        for (const keys of files) {
          const bytes = Buffer.from(keys.map((key, index) => `${key} ${index + 1}\n`).join(""));
          keyed.parse(bytes, bytes.length);
          const expected = wanted.map((key) => (keys.includes(key) ? keys.indexOf(key) + 1 : undefined));
          assert.deepEqual(
            wanted.map((_, position) => keyed.get(position)),
            expected,
          );
        }
      }),
    );
  });

  test("a container is read from it with numbers or nothing, and so is the machine", () => {
    const root = mkdtempSync(join(tmpdir(), "flyball-files-"));
    try {
      cpSync(fixtures, root, { recursive: true });
      const cgroup = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
        /\.scope\/[a-z.]+$|net\/dev$|proc\/(?:stat|meminfo|vmstat|loadavg|diskstats)$/u.test(path),
      );
      fc.assert(
        fc.property(fc.array(content, { minLength: 1, maxLength: 5 }), fc.nat(100), (contents, offset) => {
          for (const [index, path] of cgroup.entries()) {
            writeFileSync(join(root, path), contents[(index + offset) % contents.length]?.bytes ?? "");
          }
          using reader = openReader({ id: ID, kind: "container", pid: 4242 }, new Host(root));
          assertNumbers(reader.read());
          using machine = new HostReader({ root, clock: systemClock });
          assertNumbers(machine.read());
        }),
        { numRuns: 60 },
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

const ID = "4f6c0e1d2b3a49587766554433221100ffeeddccbbaa99887766554433221100";
const fixtures = fileURLToPath(new URL("../collector/fixtures/v2-systemd", import.meta.url));

/** Every number in it, however deep, is one and not below zero. */
function assertNumbers(value: unknown): void {
  if (typeof value === "number") assert.ok(!Number.isNaN(value) && value >= 0, String(value));
  if (typeof value === "object" && value !== null)
    for (const part of Object.values(value)) assertNumbers(part);
}
