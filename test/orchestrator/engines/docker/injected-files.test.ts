import assert from "node:assert/strict";
import { test } from "node:test";
import { isInjected, leavesOf } from "../../../../orchestrator/engines/docker/injected-files.ts";
import { anInspection } from "./builders.ts";

test("what compose copied in is a plain file of whole seconds between creation and start", () => {
  const container = anInspection({});
  const stat = { size: 7, mode: 0o444, mtime: "2026-01-02T03:04:05Z" };
  assert.equal(isInjected(stat, container), true);
  assert.equal(isInjected({ ...stat, mtime: "2026-01-02T03:04:05.612Z" }, container), false, "a program's");
  assert.equal(
    isInjected({ ...stat, mtime: "2026-01-02T03:04:04Z" }, container),
    false,
    "older: unpacked from an archive",
  );
  assert.equal(isInjected({ ...stat, mtime: "2026-01-02T03:04:07Z" }, container), false, "after the start");
  assert.equal(isInjected({ ...stat, mode: 2 ** 31 + 0o755 }, container), false, "a directory");
  assert.equal(isInjected({ ...stat, mode: 2 ** 27 + 0o777 }, container), false, "a symbolic link");
});

test("files are told from the directories that came with them, the shallow ones first", () => {
  assert.deepEqual(
    leavesOf(["/run", "/run/secrets", "/run/secrets/token", "/etc/motd.d", "/etc/motd.d/text", "/motd"]),
    ["/motd", "/etc/motd.d/text", "/run/secrets/token"],
  );
});
