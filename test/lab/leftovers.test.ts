import assert from "node:assert/strict";
import { test } from "node:test";
import { mountsBelow } from "./leftovers.ts";

test("mounts below a folder come innermost first, and a neighbour's not at all", () => {
  const mountInfo = `22 1 8:1 / / rw - ext4 /dev/vda rw
60 22 0:50 / /lab/20.10/data/overlay rw - overlay overlay rw
61 60 0:51 / /lab/20.10/data/overlay/with\\040space rw - tmpfs tmpfs rw
62 22 0:52 / /lab/20.10-other/data rw - tmpfs tmpfs rw
`;
  assert.deepEqual(mountsBelow("/lab/20.10", mountInfo), [
    "/lab/20.10/data/overlay/with space",
    "/lab/20.10/data/overlay",
  ]);
});
