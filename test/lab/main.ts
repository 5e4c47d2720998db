import { parseArgs } from "node:util";
import { messageOf } from "../../core/errors.ts";
import { readVersion } from "./api.ts";
import { readUnderCgroupV2 } from "./cgroup-v2.ts";
import { ENGINE_NAMES, type EngineName, isHealthy, startEngine, stopEngine } from "./engine.ts";
import { importImage } from "./image.ts";
import { withLock } from "./lock.ts";
import { assertMachine, installPackages, unpackPackages } from "./packages.ts";
import { labDirectory } from "./paths.ts";
import { readState } from "./state.ts";

const USAGE = `usage: npm run lab -- up [--only 20.10|26.1]     start the engines that do not run
       npm run lab -- down [--only 20.10|26.1]   end them, with everything in them
       npm run lab -- status
       npm run lab -- cgroup-v2                  what the collector reads in a virtual machine with cgroup v2`;

async function up(directory: string, names: readonly EngineName[]): Promise<void> {
  assertMachine();
  await withLock(directory, say, async () => {
    await installPackages(say);
    await unpackPackages(directory, say);
    for (const name of names) {
      const engine = await startEngine(directory, name, say);
      await importImage(engine.socketPath);
    }
  });
  await status(directory);
}

async function down(directory: string, names: readonly EngineName[]): Promise<void> {
  assertMachine();
  await withLock(directory, say, async () => {
    const wanted: readonly string[] = names;
    for (const engine of readState(directory).filter(({ name }) => wanted.includes(name))) {
      say(`ending engine ${engine.name}`);
      await stopEngine(directory, engine);
    }
  });
}

async function status(directory: string): Promise<void> {
  const rows = [["ENGINE", "STATE", "VERSION", "API", "PID", "SOCKET"]];
  const engines = readState(directory);
  for (const name of ENGINE_NAMES) {
    const engine = engines.find((candidate) => candidate.name === name);
    const version = engine && (await readVersion(engine.socketPath));
    rows.push([
      name,
      engine === undefined ? "down" : (await isHealthy(engine)) ? "up" : "dead",
      version?.version ?? "-",
      version?.apiVersion ?? "-",
      String(engine?.dockerd?.pid ?? "-"),
      engine?.socketPath ?? "-",
    ]);
  }
  printTable(rows);
}

async function cgroupV2(directory: string): Promise<void> {
  assertMachine();
  const rows = (await readUnderCgroupV2(directory, say)).map(
    ({ what, ours = "-", kernelBefore, kernelAfter, truth = "-" }) =>
      [what, ours, kernelBefore, kernelAfter, truth].map(String),
  );
  printTable([["VALUE", "COLLECTOR", "KERNEL BEFORE", "KERNEL AFTER", "TRUTH"], ...rows]);
}

function printTable(rows: readonly (readonly string[])[]): void {
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widthOf(rows, column)))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
}

function widthOf(rows: readonly (readonly string[])[], column: number): number {
  return Math.max(...rows.map((row) => row[column]?.length ?? 0));
}

function say(line: string): void {
  process.stderr.write(`lab: ${line}\n`);
}

/** The error and its causes, one below the other. */
function explain(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `\n  ${explain(error.cause)}` : "";
  return `${messageOf(error)}${cause}`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: "string" } },
  });
  const names = ENGINE_NAMES.filter((name) => values.only === undefined || name === values.only);
  const [command, ...rest] = positionals;
  if (names.length === 0) throw new Error(`--only takes ${ENGINE_NAMES.join(" or ")}, got "${values.only}"`);
  if (rest.length > 0) throw new Error(`"${rest[0]}" is one word too many\n${USAGE}`);
  const directory = labDirectory();
  if (command === "up") await up(directory, names);
  else if (command === "down") await down(directory, names);
  else if (command === "status") await status(directory);
  else if (command === "cgroup-v2") await cgroupV2(directory);
  else
    throw new Error(
      `expected up, down, status or cgroup-v2, got ${command === undefined ? "nothing" : `"${command}"`}\n${USAGE}`,
    );
}

try {
  await main();
} catch (error) {
  say(explain(error));
  process.exitCode = 1;
}
