import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lastOf, withinBytes } from "../../../orchestrator/scene/bounds.ts";
import { failureOf, failureOfEnd } from "../../../orchestrator/scene/failure.ts";
import { maskSecrets, maskText, secretsIn } from "../../../orchestrator/scene/mask.ts";
import { replica } from "../builders.ts";

describe("what counts as a failure", () => {
  test("an end with a status, an end for memory, an unhealthy one, one that the engine restarts", () => {
    const reasons = [
      replica("web", 1, "exited", { exitCode: 3, oomKilled: false }),
      replica("web", 1, "exited", { exitCode: 137, oomKilled: true }),
      replica("web", 1, "exited", { exitCode: 137 }),
      replica("web", 1, "exited"),
      replica("web", 1, "unhealthy"),
      replica("web", 1, "running", { live: false }),
      replica("web", 1, "restarting", { restarts: 1, exitCode: 3 }),
      replica("web", 1, "restarting", { restarts: 4, exitCode: 0 }),
      replica("web", 1, "restarting", { restarts: 4, exitCode: 137, oomKilled: true }),
      replica("web", 1, "restarting"),
    ].map((one) => {
      const failure = failureOf(one);
      return `${failure?.kind}: ${failure?.reason}`;
    });
    assert.deepEqual(reasons, [
      "error: ended with status 3",
      "oom: was killed: it took more memory than its limit (status 137)",
      "error: ended with status 137: it was killed",
      "error: ended while nobody watched, its status is unknown",
      "unhealthy: runs, and its health check fails",
      "unhealthy: runs, and its health check fails",
      "error: ended with status 3, and the engine restarts it",
      "restarting: ended with status 0, and the engine restarts it, 4 times so far",
      "oom: was killed: it took more memory than its limit (status 137), and the engine restarts it, 4 times so far",
      "error: ended, and the engine restarts it",
    ]);
  });

  test("a replica that did its work, or ended because it was told to, has not failed", () => {
    for (const exitCode of [0, 130, 143]) assert.equal(failureOfEnd({ exitCode }), undefined);
    for (const state of ["running", "created", "starting", "paused", "stopping"] as const) {
      assert.equal(failureOf(replica("web", 1, state)), undefined);
    }
  });
});

describe("secrets in a scene", () => {
  const inspect = {
    Config: {
      Env: [
        "PATH=/usr/bin",
        "DB_PASSWORD=hunter22",
        "api_key=abcdef123",
        "DSN=postgres://shop:s3cr3t@db/shop",
      ],
      Cmd: ["serve", "--token=tok-4711", "--port=80", "-c", "login hunter22"],
      Labels: { "shop.secret": "swordfish", "org.opencontainers.image.authors": "the shop" },
    },
    HostConfig: { LogConfig: { Config: { "splunk-token": "f00-ba4" } } },
  };

  test("are masked by the name they stand under, in URLs, and wherever else they stand", () => {
    assert.deepEqual(maskSecrets(inspect), {
      Config: {
        Env: ["PATH=/usr/bin", "DB_PASSWORD=***", "api_key=***", "DSN=postgres://shop:***@db/shop"],
        Cmd: ["serve", "--token=***", "--port=80", "-c", "login ***"],
        Labels: { "shop.secret": "***", "org.opencontainers.image.authors": "the shop" },
      },
      HostConfig: { LogConfig: { Config: { "splunk-token": "***" } } },
    });
  });

  test("are masked in the log that the replica wrote", () => {
    const log = "connecting with hunter22\nto http://a:b@host/\n";
    assert.equal(maskText(log, secretsIn(inspect)), "connecting with ***\nto http://a:***@host/\n");
  });

  test("that are as short as a word mask only themselves", () => {
    assert.deepEqual(maskSecrets({ Env: ["KEY=on", "MODE=on"] }), { Env: ["KEY=***", "MODE=on"] });
  });
});

describe("the bounds of a scene", () => {
  test("the last lines are kept, as many whole ones as fit", () => {
    assert.equal(lastOf("a\nb\nc\n", 2, 100), "b\nc");
    assert.equal(lastOf("first\nsecond\nthird\n", 10, 13), "second\nthird");
    assert.equal(lastOf("", 10, 100), "");
  });

  test("one endless line is cut at its beginning, and not within a character", () => {
    assert.equal(lastOf("äöü", 10, 3), "ü");
    assert.equal(lastOf("x".repeat(50), 10, 8), "x".repeat(8));
  });

  test("a description that is too large loses its largest fields first, and says which", () => {
    const bounded = withinBytes({ small: 1, large: "x".repeat(100), larger: "x".repeat(200) }, 130);
    assert.deepEqual(bounded, { value: { small: 1, large: "x".repeat(100) }, dropped: ["larger"] });
    assert.deepEqual(withinBytes({ a: 1 }, 130), { value: { a: 1 }, dropped: [] });
  });
});
