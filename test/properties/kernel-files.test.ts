import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cgroupDirectories, containerCgroup, parseCgroupMounts } from "../../collector/read/cgroup-paths.ts";
import { keyBytes, numberOfKey, unsignedAt } from "../../collector/read/kernel-text.ts";
import { parseMachineUnits } from "../../collector/read/machine-units.ts";
import { parseProcStat, parseProcStatm } from "../../collector/read/proc-stat.ts";

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
        for (const value of [
          unsignedAt(bytes, from, bytes.length),
          numberOfKey(bytes, bytes.length, keyBytes("usage_usec")),
        ]) {
          assert.ok(value === undefined || (Number.isFinite(value) && value >= 0));
        }
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
});
