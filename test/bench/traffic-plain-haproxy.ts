import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../lab/free-port.ts";

const PATIENCE_MS = 10_000;

/** A HAProxy as it is without Flyball. */
export class PlainHaproxy implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(program: string, port: number, rules: string) {
    this.port = port;
    this.#directory = mkdtempSync(join(tmpdir(), "flyball-bench-"));
    const file = join(this.#directory, "plain.cfg");
    writeFileSync(
      file,
      `defaults
  mode http
  timeout connect 2s
  timeout client 1m
  timeout server 1m
frontend all
  bind 127.0.0.1:${port}
${rules}`,
    );
    this.#child = spawn(program, ["-db", "-f", file], { stdio: ["ignore", "ignore", "ignore"] });
  }

  /** Leads everything to one server. */
  static leadingTo(program: string, serverPort: number): Promise<PlainHaproxy> {
    return PlainHaproxy.#start(
      program,
      `  default_backend all\nbackend all\n  server one 127.0.0.1:${serverPort}\n`,
    );
  }

  /** Answers everything itself, faster than any program could. */
  static answering(program: string): Promise<PlainHaproxy> {
    return PlainHaproxy.#start(
      program,
      '  http-request return status 200 content-type text/plain string "ok"\n',
    );
  }

  static async #start(program: string, rules: string): Promise<PlainHaproxy> {
    const plain = new PlainHaproxy(program, await freePort(), rules);
    const deadlineMs = performance.now() + PATIENCE_MS;
    const answers = () =>
      fetch(`http://127.0.0.1:${plain.port}/`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await answers())) {
      if (performance.now() > deadlineMs) throw new Error(`${program} does not start`);
      await sleep(20);
    }
    return plain;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
