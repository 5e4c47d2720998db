import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { isSystemError } from "../../core/errors.ts";

const WAIT_MS = 10 * 60_000;

/**
 * Runs `work` while no other command changes the same lab; waits its turn for up to ten minutes. The lock is an abstract
 * Unix socket: the kernel gives it back when its owner dies, and no file is left behind.
 */
export async function withLock<T>(
  directory: string,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await takeLock(directory, say);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

async function takeLock(directory: string, say: (line: string) => void): Promise<Server> {
  const deadlineMs = performance.now() + WAIT_MS;
  let hasSaid = false;
  for (;;) {
    const lock = await tryLock(`\0flyball-lab:${directory}`);
    if (lock !== undefined) return lock;
    if (performance.now() > deadlineMs)
      throw new Error("another command has been at work on this lab for ten minutes");
    if (!hasSaid) say("another command is at work on this lab; waiting for it");
    hasSaid = true;
    await sleep(250);
  }
}

function tryLock(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) =>
      isSystemError(error, "EADDRINUSE") ? resolve(undefined) : reject(error),
    );
    server.listen({ path }, () => resolve(server));
  });
}
