import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { callApi } from "../lab/api.ts";
import type { CommandResult } from "../lab/command.ts";
import {
  compose,
  composeV1,
  LAB_IMAGE,
  type LabEngine,
  labEngines,
  skipWithoutEngine,
} from "../lab/engines.ts";

const engines = await labEngines();

const COMPOSE_FILE = `
services:
  web:
    image: ${LAB_IMAGE}
    command: sh -c "echo hello > /www/index.html; exec httpd -f -p 80 -h /www"
    cpus: 0.5
    mem_limit: 64m
    ports: ["127.0.0.1::80"]
    healthcheck:
      test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1/"]
      interval: 1s
`;

type Run = (...args: string[]) => Promise<CommandResult>;

/** Runs `body` with a project of its own, which is taken down afterwards. */
async function withProject(
  program: typeof compose,
  engine: LabEngine,
  project: string,
  body: (run: Run) => Promise<void>,
): Promise<void> {
  const cwd = await mkdtemp(join(tmpdir(), "flyball-lab-test-"));
  const run: Run = (...args) => program(engine, ["--project-name", project, ...args], { cwd });
  try {
    await writeFile(join(cwd, "compose.yaml"), COMPOSE_FILE);
    await body(run);
  } finally {
    await run("down", "--timeout", "0");
    await rm(cwd, { recursive: true });
  }
}

describe("the lab", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    const inspect = async (container: string) => {
      const { status, body } = await callApi(engine.socketPath, "GET", `/containers/${container}/json`);
      assert.equal(status, 200, body);
      return JSON.parse(body) as { HostConfig: { NanoCpus: number; Memory: number } };
    };

    test(`engine ${engine.name} runs a compose project with limits, a port and names that resolve`, () =>
      withProject(compose, engine, "labtest", async (run) => {
        const up = await run("up", "--detach", "--wait", "--scale", "web=2");
        assert.equal(up.exitCode, 0, up.stderr);

        const address = await run("port", "--index", "2", "web", "80");
        const page = await fetch(`http://${address.stdout.trim()}/`);
        assert.equal(await page.text(), "hello\n");

        const neighbour = ["timeout", "5", "wget", "-q", "-O", "-", "http://labtest-web-2/"];
        const answer = await run("exec", "--no-TTY", "web", ...neighbour);
        assert.equal(answer.stdout, "hello\n", answer.stderr);

        const { HostConfig } = await inspect("labtest-web-1");
        assert.deepEqual([HostConfig.NanoCpus, HostConfig.Memory], [500_000_000, 64 * 1024 * 1024]);
      }));

    test(`engine ${engine.name} runs the same project with the old docker-compose`, () =>
      withProject(composeV1, engine, "labtestv1", async (run) => {
        const up = await run("up", "--detach");
        assert.equal(up.exitCode, 0, up.stderr);
        await inspect("labtestv1_web_1");
      }));
  }
});
