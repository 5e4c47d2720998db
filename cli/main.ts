#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `flyball needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  // A daemon lives for months on little: what starting leaves behind must not make its heap large for good.
  setFlagsFromString("--semi-space-growth-factor=1");
  // Imported only now: an older Node would stop at what it cannot parse, before the check.
  const { runProcess } = await import("./run.ts");
  await runProcess();
}
