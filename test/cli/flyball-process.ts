import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** The command as a person runs it, with its output read by a program. */
export async function flyballProcess(words: readonly string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env["PATH"], HOME: "/", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status: child.exitCode, stdout, stderr };
}
