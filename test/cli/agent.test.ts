import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { daemonCodeDouble } from "./daemon-code-double.ts";
import { flyball } from "./flyball.ts";

/** What the collector was started with by this command line. */
async function started(words: readonly string[], environment: Record<string, string> = {}) {
  const { code, calls } = daemonCodeDouble();
  const { status, noted } = await flyball(["agent", ...words], { environment, code });
  return { status, noted, calls };
}

describe("flyball agent", () => {
  test("offers its metrics to this machine only, unless it is told to open the port", async () => {
    assert.deepEqual((await started([])).calls, ["agent 127.0.0.1 9417 every 1000 ms of any engine"]);
    const ways: readonly (readonly [string, string])[] = [
      [":9417", "0.0.0.0 9417"],
      ["127.0.0.1:80", "127.0.0.1 80"],
      ["[::1]:9417", "::1 9417"],
      ["metrics.internal:9417", "metrics.internal 9417"],
    ];
    for (const [address, listen] of ways) {
      assert.deepEqual((await started(["--metrics", address])).calls, [
        `agent ${listen} every 1000 ms of any engine`,
      ]);
    }
  });

  test("takes its settings from variables too, and flags win", async () => {
    const environment = { FLYBALL_METRICS_LISTEN: ":1234", DOCKER_HOST: "tcp://engine:2375" };
    assert.deepEqual((await started(["--interval", "5s"], environment)).calls, [
      "agent 0.0.0.0 1234 every 5000 ms of tcp://engine:2375",
    ]);
    const flags = ["--metrics", ":1", "--docker-host", "unix:///run/podman/podman.sock"];
    assert.deepEqual((await started(flags, environment)).calls, [
      "agent 0.0.0.0 1 every 1000 ms of unix:///run/podman/podman.sock",
    ]);
  });

  test("starts nothing with what cannot be understood", async () => {
    for (const words of [
      ["--metrics", "9417"],
      ["--metrics", ":99999"],
      ["--interval", "1ms"],
      ["--interval", "soon"],
    ]) {
      const { status, calls, noted } = await started(words);
      assert.equal(status, 2, noted);
      assert.deepEqual(calls, []);
      assert.match(noted, /[Ee]xpected/u);
    }
  });
});
