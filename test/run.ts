import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { messageOf } from "../core/errors.ts";

/**
 * Runs one kind of tests: `node test/run.ts unit|integration [file or glob | name | --option]…`.
 * A word with a slash, or ending in `.ts`, names files to run in place of all of that kind; an option goes to
 * `node --test`; any other word is part of the names of the tests to run. The exit status is that of `node --test`, the worse one of two.
 */
const OLDEST_NODE = 24;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const FOLDERS =
  "core,collector,scaler,orchestrator,alerts,dashboards,api,cli,examples,properties,scenarios,lab";

/** One run of `node --test`: its files, and its options. */
interface Pass {
  readonly globs: readonly string[];
  readonly options: readonly string[];
}

/** These wait more than they work, and have a project, a daemon and ports of their own: three at a time. */
const PATIENT =
  "test/integration/{backtest-history,daemon-{care,crash,decisions,docker,minutes,requests}," +
  "docker-{adopt,doctor,ownership,replicas,rollouts,scenes},prometheus-{query,remote-write,scaling,scrape}}.test.ts";

const KINDS: Readonly<Record<string, readonly Pass[]>> = {
  unit: [{ globs: [`test/{${FOLDERS}}/**/*.test.ts`, "test/*.test.ts"], options: [] }],
  integration: [
    { globs: [PATIENT], options: ["--test-concurrency=3"] },
    // One at a time: they measure, or count everything that there is on an engine.
    { globs: ["test/integration/**/*.test.ts", `!${PATIENT}`], options: ["--test-concurrency=1"] },
  ],
};

/** What to give `node` for these words, run by run. Throws when they name no kind of tests, or files that are not there. */
function testArguments([kindName, ...words]: readonly string[]): string[][] {
  const passes = KINDS[kindName ?? ""];
  if (passes === undefined) {
    throw new Error(
      `expected ${Object.keys(KINDS).join(" or ")}, got ${kindName ? `"${kindName}"` : "nothing"}`,
    );
  }
  const options = words.filter((word) => word.startsWith("-"));
  const files = words.filter((word) => !word.startsWith("-") && (word.includes("/") || word.endsWith(".ts")));
  const names = words.filter((word) => !options.includes(word) && !files.includes(word));
  const asked: readonly Pass[] =
    files.length === 0
      ? passes
      : [{ globs: files, options: kindName === "integration" ? ["--test-concurrency=1"] : [] }];
  return asked.map((pass) => [
    "--test",
    ...pass.options,
    ...options,
    ...names.map((name) => `--test-name-pattern=${name}`),
    ...matching(pass.globs),
  ]);
}

/** The globs are expanded here because `node --test` passes when there is nothing to run. Those with a `!` leave out. */
function matching(globs: readonly string[]): string[] {
  const left = new Set(globs.flatMap((glob) => (glob.startsWith("!") ? globSync(glob.slice(1)) : [])));
  const files = globs.flatMap((glob) => {
    if (glob.startsWith("!")) return [];
    const found = globSync(glob).filter((file) => !left.has(file));
    if (found.length === 0) throw new Error(`no test file matches ${glob}`);
    return found;
  });
  return files.sort();
}

/** @returns the exit status, as a shell tells it */
async function runNode(args: readonly string[]): Promise<number> {
  const isCi = process.env["CI"] === "true";
  const child = spawn(process.execPath, args, {
    stdio: "inherit",
    // In CI a test that was skipped for want of an engine has shown nothing.
    env: isCi ? { ...process.env, FLYBALL_REQUIRE_ENGINE: "1" } : process.env,
  });
  const end = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, end);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  for (const name of SIGNALS) process.off(name, end);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Error(
      `the tests need Node ${OLDEST_NODE} or newer, this is ${process.versions.node}; start them with npm`,
    );
  }
  process.chdir(resolve(import.meta.dirname, ".."));
  // All of them, so that what fails late is known as well.
  for (const args of testArguments(process.argv.slice(2))) {
    const status = await runNode(args);
    process.exitCode = Math.max(Number(process.exitCode ?? 0), status);
    if (status > 128) break;
  }
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
