import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { accountCpu, type CpuAccount, EMPTY_CPU_ACCOUNT } from "../../collector/read/process-cpu.ts";

type Row = [pid: number, parentPid: number, ownTicks: number, childrenTicks: number];

/** The totals after each look. */
function totals(looks: readonly (readonly Row[])[]): number[] {
  let account: CpuAccount = EMPTY_CPU_ACCOUNT;
  return looks.map((rows) => {
    account = accountCpu(
      account,
      rows.map(([pid, parentPid, ownTicks, childrenTicks]) => ({ pid, parentPid, ownTicks, childrenTicks })),
    );
    return account.totalTicks;
  });
}

describe("the CPU counter of a process tree", () => {
  test("starts with all that the living used, and their children before", () => {
    assert.deepEqual(
      totals([
        [
          [1, 0, 100, 30],
          [2, 1, 7, 0],
        ],
      ]),
      [137],
    );
  });

  test("counts a child's time once when the parent has waited for it", () => {
    assert.deepEqual(
      totals([
        [
          [1, 0, 10, 0],
          [2, 1, 50, 0],
        ],
        [[1, 0, 10, 55]],
      ]),
      [60, 65],
    );
  });

  test("does not fall when nobody waits for a child", () => {
    assert.deepEqual(
      totals([
        [
          [1, 0, 10, 0],
          [2, 1, 50, 0],
        ],
        [[1, 0, 12, 0]],
        [[1, 0, 13, 0]],
      ]),
      [60, 62, 63],
    );
  });

  test("does not jump when the parent was read just before it waited", () => {
    assert.deepEqual(
      totals([
        [
          [1, 0, 10, 0],
          [2, 1, 50, 0],
        ],
        [[1, 0, 10, 0]],
        [[1, 0, 10, 51]],
      ]),
      [60, 60, 61],
    );
  });

  test("sees children that lived only between two looks", () => {
    assert.deepEqual(totals([[[1, 0, 10, 0]], [[1, 0, 10, 8]]]), [10, 18]);
  });

  test("follows a whole branch that ended up to the ancestor that lives", () => {
    const branch: Row[] = [
      [1, 0, 0, 0],
      [2, 1, 20, 5],
      [3, 2, 30, 0],
    ];
    assert.deepEqual(totals([branch, [[1, 0, 0, 57]]]), [55, 57]);
  });

  test("sets a child nobody waited for off against others for one look only", () => {
    const looks: Row[][] = [
      [
        [1, 0, 0, 0],
        [2, 1, 50, 0],
      ],
      [[1, 0, 0, 0]],
      [[1, 0, 0, 0]],
      [[1, 0, 0, 40]],
    ];
    assert.deepEqual(totals(looks), [50, 50, 50, 90]);
  });
});
