import { globSync } from "node:fs";
import { constants } from "node:os";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { messageOf } from "../core/errors.ts";

/**
 * Runs one kind of tests: `node test/run.ts unit|integration [file or glob | name]…`.
 * A word with a slash, or ending in `.ts`, names files to run in place of all of that kind; any other word is part of the
 * names of the tests to run. The exit status is 1 when a test failed.
 */
const OLDEST_NODE = 24;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

const FOLDERS =
  "core,daemon,collector,scaler,orchestrator,traffic,alerts,dashboards,api,cli,examples,properties,scenarios,lab";

/** Files that run together, in the order in which they begin. */
interface Pass {
  readonly files: readonly string[];
  /** Absent: as Node has it, by the machine's cores. */
  readonly atOnce?: number;
}

/** Most of them wait for a process, a timer or a file, also on two cores. */
const UNIT_AT_ONCE = 4;

/** These wait more than they work, and have a project, a daemon and ports of their own: three at a time. */
const PATIENT =
  "test/integration/{alerts-delivery,backtest-history,boards,chaos,console,daemon-{alerts,answers,care,crash,decisions,docker,input,loop,lost-answer,minutes,requests,store}," +
  "discovery-{nginx,prometheus},docker-{adopt,doctor,newest-image,ownership,removals,replicas,rollouts,scenes}," +
  "prometheus-{query,remote-write,scaling,scrape},traffic-{daemon,doors,leaving,replicas,sleep,trial,trouble},jobs}.test.ts";
const PATIENT_AT_ONCE = 3;

/** They take longest, and begin first: one that begins last is waited for alone. */
const LONGEST = [
  "prometheus-scrape",
  "docker-ownership",
  "prometheus-scaling",
  "docker-replicas",
  "docker-rollouts",
];

const KINDS: Readonly<Record<string, () => readonly Pass[]>> = {
  unit: () => [
    { files: matching([`test/{${FOLDERS}}/**/*.test.ts`, "test/*.test.ts"]), atOnce: UNIT_AT_ONCE },
  ],
  integration: () => {
    const patient = matching([PATIENT]);
    const others = matching(["test/integration/**/*.test.ts"]).filter((file) => !patient.includes(file));
    return [
      { files: longestFirst(patient), atOnce: PATIENT_AT_ONCE },
      // They measure, or count everything that there is on an engine.
      { files: others, atOnce: 1 },
    ];
  },
};

interface Asked {
  readonly passes: readonly Pass[];
  readonly names: readonly string[];
}

/** What these words ask for. Throws when they name no kind of tests, or files that are not there. */
function asked([kind, ...words]: readonly string[]): Asked {
  const passes = KINDS[kind ?? ""];
  if (passes === undefined) {
    throw new Error(`expected ${Object.keys(KINDS).join(" or ")}, got ${kind ? `"${kind}"` : "nothing"}`);
  }
  const globs = words.filter((word) => word.includes("/") || word.endsWith(".ts"));
  const names = words.filter((word) => !globs.includes(word));
  if (globs.length === 0) return { passes: passes(), names };
  return { passes: [{ files: matching(globs), ...(kind === "integration" ? { atOnce: 1 } : {}) }], names };
}

function matching(globs: readonly string[]): string[] {
  const files = globs.flatMap((glob) => {
    const found = globSync(glob);
    if (found.length === 0) throw new Error(`no test file matches ${glob}`);
    return found;
  });
  return files.sort();
}

function longestFirst(files: readonly string[]): string[] {
  const isLong = (name: string) => (file: string) => file.endsWith(`/${name}.test.ts`);
  const long = LONGEST.flatMap((name) => files.filter(isLong(name)));
  return [...long, ...files.filter((file) => !long.includes(file))];
}

/** Characters: enough for a difference and where it is. */
const LONGEST_REASON = 2_500;

interface Failure {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly reason: string;
}

/** @returns what failed, the innermost tests only: a suite fails with them */
async function runPass(
  { files, atOnce }: Pass,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Failure[]> {
  const tests = run({
    files: files.map((file) => resolve(file)),
    concurrency: atOnce ?? true,
    testNamePatterns: [...names],
    signal,
  });
  const failures: Failure[] = [];
  tests.on("test:fail", ({ todo, name, file, line, details }) => {
    if (todo !== undefined && todo !== false) return;
    if ("failureType" in details.error && details.error.failureType === "subtestsFailed") return;
    failures.push({ file: file ?? "", line: line ?? 0, name, reason: reasonOf(details.error) });
  });
  for await (const text of tests.compose(spec)) process.stdout.write(text);
  return failures;
}

/** The error that the test threw, and what caused that: `fetch failed` alone tells nobody why. */
function reasonOf(error: Error): string {
  const reasons: string[] = [];
  for (
    let one: unknown = error.cause instanceof Error ? error.cause : error;
    one instanceof Error;
    one = one.cause
  )
    reasons.push(one.stack ?? one.message);
  return reasons.join("\ncaused by ").slice(0, LONGEST_REASON);
}

/** Once more, and last: where two thousand lines went before, nobody finds them. */
function tell(failures: readonly Failure[]): void {
  if (failures.length === 0) return;
  const parts = failures.map(
    ({ file, line, name, reason }) =>
      `✖ ${name}\n  ${relative(".", file)}:${line}\n${reason.replaceAll(/^/gm, "    ")}\n`,
  );
  process.stdout.write(`\n${failures.length} failed:\n\n${parts.join("\n")}`);
}

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Error(
      `the tests need Node ${OLDEST_NODE} or newer, this is ${process.versions.node}; start them with npm`,
    );
  }
  process.chdir(resolve(import.meta.dirname, ".."));
  // In CI a test that was skipped for want of an engine has shown nothing.
  if (process.env["CI"] === "true") process.env["FLYBALL_REQUIRE_ENGINE"] = "1";
  // Each file is a process of its own, and would read and strip the same thousand modules again.
  process.env["NODE_COMPILE_CACHE"] ??= resolve("node_modules/.cache/modules");
  const ended = new AbortController();
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      ended.abort();
    });
  }
  const { passes, names } = asked(process.argv.slice(2));
  // All of them, so that what fails late is known as well.
  const failures: Failure[] = [];
  for (const pass of passes) {
    if (ended.signal.aborted) break;
    failures.push(...(await runPass(pass, names, ended.signal)));
  }
  tell(failures);
  if (failures.length > 0) process.exitCode ??= 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
