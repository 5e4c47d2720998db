#!/usr/bin/env -S node --max-semi-space-size=1
// The flag above keeps small what starting leaves behind: a daemon lives for months on little.
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `flyball needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  // Types are stripped once and not at every start: that takes a third of a second, and 25 MB that are never given back.
  enableCompileCache(join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "flyball", "modules"));
  // Imported only now: an older Node would stop at what it cannot parse, before the check.
  const { runProcess } = await import("./run.ts");
  await runProcess();
}
