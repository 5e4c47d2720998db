import { flushCompileCache } from "node:module";
import { ERRORS, formatError, isFlyballError } from "../core/errors.ts";
import { type CollectorRun, readArguments } from "./settings.ts";

/** The collector process: `node collector/main.ts`, with the words that settings.ts reads. */

/**
 * Stripping the types leaves some 30 MB behind for good. What was stripped is in the compile cache now, so the same
 * process begins again from there, once.
 */
function beginAgainFromCache(): void {
  flushCompileCache();
  const { execPath, execArgv, argv } = process;
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1), "--cached"], process.env);
}

/** Loads all that the run needs, so that it comes from the cache when the process begins again. */
async function load(run: CollectorRun): Promise<() => Promise<void>> {
  const { loadParts } = await import("./join.ts");
  await loadParts(run.settings);
  if (run.kind === "agent") {
    const { runAgent } = await import("./agent.ts");
    return () => runAgent(run.settings);
  }
  const { runChild } = await import("./child.ts");
  return () => runChild(run.settings, run.linkDirectory);
}

try {
  const { cached, ...run } = readArguments(process.argv.slice(2), process.env);
  const start = await load(run);
  if (!cached && process.env["NODE_COMPILE_CACHE"] !== undefined) {
    await (await import("./join.ts")).loadSeldomParts();
    beginAgainFromCache();
  }
  await start();
} catch (error) {
  process.stderr.write(`${formatError(error)}\n`);
  process.exitCode = ERRORS[isFlyballError(error) ? error.code : "INTERNAL"].exit;
}
