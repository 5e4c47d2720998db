import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { callApi } from "../lab/api.ts";
import { compose, LAB_IMAGE, labEngines, skipWithoutEngine } from "../lab/engines.ts";

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

describe("the lab", { skip: skipWithoutEngine(engines) }, () => {
  for (const engine of engines) {
    test(`engine ${engine.name} runs a compose project with limits, a port and names that resolve`, async (t) => {
      const cwd = await mkdtemp(join(tmpdir(), "flyball-lab-test-"));
      const run = (...args: string[]) => compose(engine, ["--project-name", "labtest", ...args], { cwd });
      t.after(async () => {
        await run("down", "--timeout", "0");
        await rm(cwd, { recursive: true });
      });
      await writeFile(join(cwd, "compose.yaml"), COMPOSE_FILE);

      const up = await run("up", "--detach", "--wait", "--scale", "web=2");
      assert.equal(up.exitCode, 0, up.stderr);

      const address = await run("port", "--index", "2", "web", "80");
      const page = await fetch(`http://${address.stdout.trim()}/`);
      assert.equal(await page.text(), "hello\n");

      const neighbour = await run(
        "exec",
        "--no-TTY",
        "web",
        "wget",
        "-q",
        "-O",
        "-",
        "http://labtest-web-2/",
      );
      assert.equal(neighbour.stdout, "hello\n", neighbour.stderr);

      const inspected = await callApi(engine.socketPath, "GET", "/containers/labtest-web-1/json");
      const { HostConfig } = JSON.parse(inspected.body) as {
        HostConfig: { NanoCpus: number; Memory: number };
      };
      assert.deepEqual([HostConfig.NanoCpus, HostConfig.Memory], [500_000_000, 64 * 1024 * 1024]);
    });
  }
});
