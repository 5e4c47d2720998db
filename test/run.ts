import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { messageOf } from "../core/errors.ts";

/**
 * Runs one kind of tests: `node test/run.ts unit|integration [file or glob | name | --option]…`.
 * A word with a slash, or ending in `.ts`, names files to run in place of all of that kind; an option goes to
 * `node --test`; any other word is part of the names of the tests to run. The exit status is that of `node --test`.
 */
const OLDEST_NODE = 24;

const FOLDERS =
  "core,collector,scaler,orchestrator,alerts,dashboards,api,cli,examples,properties,scenarios,lab";

const KINDS: Readonly<Record<string, { globs: string[]; options: string[] }>> = {
  unit: { globs: [`test/{${FOLDERS}}/**/*.test.ts`, "test/*.test.ts"], options: [] },
  // One file at a time: they share the engines and the machine's ports.
  integration: { globs: ["test/integration/**/*.test.ts"], options: ["--test-concurrency=1"] },
};

/** What to give `node` for these words. Throws when they name no kind of tests, or files that are not there. */
function testArguments([kindName, ...words]: readonly string[]): string[] {
  const kind = KINDS[kindName ?? ""];
  if (kind === undefined) {
    throw new Error(
      `expected ${Object.keys(KINDS).join(" or ")}, got ${kindName ? `"${kindName}"` : "nothing"}`,
    );
  }
  const options = words.filter((word) => word.startsWith("-"));
  const files = words.filter((word) => !word.startsWith("-") && (word.includes("/") || word.endsWith(".ts")));
  const names = words.filter((word) => !options.includes(word) && !files.includes(word));
  return [
    "--test",
    ...kind.options,
    ...options,
    ...names.map((name) => `--test-name-pattern=${name}`),
    ...(files.length === 0 ? matching(kind.globs) : files.flatMap((file) => matching([file]))),
  ];
}

/** The globs are expanded here because `node --test` passes when there is nothing to run. */
function matching(globs: string[]): string[] {
  const files = globSync(globs).sort();
  if (files.length === 0) throw new Error(`no test file matches ${globs.join(" or ")}`);
  return files;
}

function runNode(args: readonly string[]): void {
  const isCi = process.env["CI"] === "true";
  const child = spawn(process.execPath, args, {
    stdio: "inherit",
    // In CI a test that was skipped for want of an engine has shown nothing.
    env: isCi ? { ...process.env, FLYBALL_REQUIRE_ENGINE: "1" } : process.env,
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Error(
      `the tests need Node ${OLDEST_NODE} or newer, this is ${process.versions.node}; start them with npm`,
    );
  }
  process.chdir(resolve(import.meta.dirname, ".."));
  runNode(testArguments(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
