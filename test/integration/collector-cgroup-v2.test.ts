import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readUnderCgroupV2 } from "../lab/cgroup-v2.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { labDirectory } from "../lab/paths.ts";

// The lab's directory is where the machine's packages go: where nobody made one, nothing is fetched.
const skip = skipWithoutEngine(await labEngines());

const TOLERANCE_RATIO = 0.02;
/** The clock of an emulated machine stands still while others have its CPU, and runs on in leaps. */
const CORES_TOLERANCE_RATIO = 0.1;

/** Each value that is read must come: a reader that finds nothing would agree with everything. */
const WANTED = [
  "CPU seconds",
  "CPU seconds of the user",
  "CPU seconds of the kernel",
  "periods",
  "throttled periods",
  "throttled seconds",
  "CPU waiting seconds",
  "quota",
  "period",
  "threads",
  "cores",
  "memory",
  "anonymous memory",
  "page cache",
  "working set",
  "most memory",
  "page faults",
  "memory limit",
  "threads with those below",
  "bytes written",
  "writes",
  "page cache of the file",
  "bytes sent",
  "bytes received",
  "packets sent",
  "OOM kills",
  "limit hits",
  "the end is seen",
];

describe("a machine with cgroup v2", { skip }, () => {
  test("is read as its kernel says, and as was done", async (t) => {
    const compared = await readUnderCgroupV2(labDirectory(), (line) => t.diagnostic(line));
    assert.deepEqual(
      compared.map(({ what }) => what),
      WANTED,
    );
    let furthest = 0;
    for (const { what, ours, kernelBefore, kernelAfter, truth } of compared) {
      await t.test(what, () => {
        assert.ok(ours !== undefined, "is not read");
        const [low, high] = [Math.min(kernelBefore, kernelAfter), Math.max(kernelBefore, kernelAfter)];
        assert.ok(
          ours >= low * (1 - TOLERANCE_RATIO) && ours <= high * (1 + TOLERANCE_RATIO),
          `${ours} is read, and the kernel says ${kernelBefore} before and ${kernelAfter} after`,
        );
        if (truth === undefined) return;
        const off = Math.abs(ours - truth) / truth;
        furthest = Math.max(furthest, off);
        const tolerance = what === "cores" ? CORES_TOLERANCE_RATIO : TOLERANCE_RATIO;
        assert.ok(off <= tolerance, `${ours} is read, and ${truth} is true`);
      });
    }
    t.diagnostic(`${compared.length} values, at most ${(furthest * 100).toFixed(2)} % from what was done`);
  });
});
