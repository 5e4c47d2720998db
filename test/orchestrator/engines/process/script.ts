/** A Node process of its own that runs one of the scripts beside this file, until it is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface Script extends AsyncDisposable {
  tell(value: unknown): void;
  /** The first line that it writes. Fails when it ends before. */
  says(): Promise<string>;
}

/** Disposing is `kill -9`. */
export function spawnScript(name: string, ...args: string[]): Script {
  const child = spawn(process.execPath, [join(import.meta.dirname, name), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  return {
    tell: (value) => void child.stdin.end(JSON.stringify(value)),
    says: async () => {
      const [line] = await Promise.race([once(child.stdout, "data"), ended.then(() => [undefined])]);
      assert.ok(line instanceof Buffer, `${name} ended without a word`);
      return line.toString().trim();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
