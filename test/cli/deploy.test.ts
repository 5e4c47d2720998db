import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RolloutAnswer } from "../../core/wire-rollouts.ts";
import { daemonCodeDouble, PROJECT_PAGES, request } from "./daemon-code-double.ts";
import { NOW_MS, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const rollout: RolloutAnswer = {
  service: "shop_web",
  state: "updating",
  templateHash: "third",
  updated: 1,
  total: 4,
  failures: 0,
  startedAtMs: NOW_MS,
  sentence: "canary: revision 3 gets 20 % of the requests",
};

describe("flyball promote and abort", () => {
  test("name the service as people do, and the weight as a share", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web] } },
      "PUT /v1/services/shop_web/trial": { body: rollout },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const said = await flyball(["promote", "web", "--weight", "80%"], invocation);
    assert.equal(said.printed, `shop_web: ${rollout.sentence}`);
    await flyball(["promote", "web"], invocation);
    await flyball(["abort", "web"], invocation);
    const bodies = daemon.heard.flatMap(({ request, body }) => (request.startsWith("PUT") ? [body] : []));
    assert.deepEqual(bodies, [{ do: "promote", weightRatio: 0.8 }, { do: "promote" }, { do: "abort" }]);
  });
});

describe("flyball deploy", () => {
  test("hands over the project with how it is to be tried", async () => {
    await using daemon = await startRecordedDaemon(PROJECT_PAGES);
    const environment = { FLYBALL_ADDRESS: daemon.address };
    const deploy = async (...words: string[]) => {
      const { status } = await flyball(["deploy", ...words], { environment, code: daemonCodeDouble().code });
      assert.equal(status, 0);
      return daemon.heard.findLast((heard) => heard.request.startsWith("PUT"))?.body;
    };
    assert.deepEqual(await deploy(), request);
    const canary = { kind: "canary", weightRatio: 0.2 };
    assert.deepEqual(await deploy("--canary", "20%"), { ...request, trial: canary });
    assert.deepEqual(await deploy("--canary"), { ...request, trial: { kind: "canary" } });
    assert.deepEqual(await deploy("--blue-green"), { ...request, trial: { kind: "blue-green" } });
    assert.deepEqual(await deploy("--steps", "5%,20,50%", "--step-time", "30s"), {
      ...request,
      trial: { kind: "canary", stepRatios: [0.05, 0.2, 0.5], stepMs: 30_000 },
    });
  });

  test("says what it does not understand", async () => {
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [["deploy", "--canary", "20%", "--blue-green"], /exclude each other/],
      [["deploy", "--canary", "0%"], /above 0 and below 100 %/],
      [["deploy", "--step-time", "1m"], /--step-time needs --steps/],
      [["deploy", "--steps", "50%,20%"], /ascending shares/],
      [["deploy", "--steps", "20%", "--step-time", "1ms"], /from 1s to 24h/],
      [["promote", "web", "--weight", "120%"], /from 0 to 100 %/],
      [["promote", "web", "--weight", "a fifth"], /from 0 to 100 %/],
    ];
    for (const [words, pattern] of refused) {
      const { status, noted } = await flyball(words, { code: daemonCodeDouble().code });
      assert.notEqual(status, 0, words.join(" "));
      assert.match(noted, pattern);
    }
  });
});
