import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { db, decision, NOW_MS, otherWeb, web, webDetail } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { NO_SUCH_PROJECT, startRecordedDaemon } from "./recorded-daemon.ts";

describe("the commands", () => {
  test("ps lists services, shows the replicas of those named, and prints what was answered as JSON", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web, db] } },
      "GET /v1/services/shop_web": { body: webDetail },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.match((await flyball(["ps"], invocation)).printed, /^SERVICE .*\nshop_web .*\nshop_db /);
    assert.match((await flyball(["ps", "web"], invocation)).printed, /^shop_web: 1 of 2 .*\nSLOT /);
    const { printed, status } = await flyball(["ps", "--json"], invocation);
    assert.deepEqual(JSON.parse(printed), [web, db]);
    assert.equal(status, 0);
  });

  test("the address is the option's, else the variable's, else the listen setting's", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/services": { body: { services: [] } } });
    const nowhere = "http://127.0.0.1:9";
    const { address, port } = daemon;
    const ways: [string[], Record<string, string>][] = [
      [["--address", address, "ps"], { FLYBALL_ADDRESS: nowhere }],
      [["ps", "--address", address], { FLYBALL_ADDRESS: nowhere }],
      [["ps"], { FLYBALL_ADDRESS: address, FLYBALL_LISTEN: "127.0.0.1:9" }],
      [["ps"], { FLYBALL_LISTEN: `127.0.0.1:${port}` }],
    ];
    for (const [words, environment] of ways) assert.equal((await flyball(words, { environment })).status, 0);
    assert.equal(daemon.heard.length, ways.length);
  });

  test("the token comes from the environment", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/services": { body: { services: [] } } });
    const token = "a-token-of-sufficient-length";
    await flyball(["ps"], { environment: { FLYBALL_ADDRESS: daemon.address, FLYBALL_TOKEN: token } });
    assert.equal(daemon.heard[0]?.headers.authorization, `Bearer ${token}`);
    assert.equal((await flyball(["ps", "--token", token])).status, 2);
  });

  test("scale understands every name before it changes anything", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web, db] } },
      "PUT /v1/services/shop_web/scale": { body: { service: "shop_web", from: 2, to: 3 } },
      "PUT /v1/services/shop_db/scale": { body: { service: "shop_db", from: 1, to: 1 } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const wrong = await flyball(["scale", "web=3", "queue=1"], invocation);
    assert.equal(wrong.status, 3);
    assert.match(wrong.noted, /^NOT_FOUND: there is no service queue/);
    assert.deepEqual(
      daemon.heard.map(({ request }) => request),
      ["GET /v1/services"],
    );
    const right = await flyball(["scale", "web=3", "shop_db=1", "--reason", "a sale"], invocation);
    assert.equal(right.printed, "shop_web: 2 -> 3\nshop_db: 1 as before");
    assert.deepEqual(daemon.heard.at(-1)?.body, { replicas: 1, reason: "a sale" });
  });

  test("a name that two projects have must be said in full", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web, otherWeb] } },
    });
    const { status, noted } = await flyball(["explain", "web"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.equal(status, 2);
    assert.match(noted, /shop_web or blog_web/);
  });

  test("explain and decisions ask with what was typed", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web] } },
      [`GET /v1/services/shop_web/explain?at=${NOW_MS - 600_000}`]: { body: { lines: ["it was", "calm"] } },
      "GET /v1/services/shop_web/decisions?limit=20&changes=false": { body: { decisions: [] } },
      "GET /v1/services/shop_web/decisions?limit=5&changes=true": { body: { decisions: [decision] } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.equal((await flyball(["explain", "web", "--at", "10m"], invocation)).printed, "it was\ncalm");
    assert.equal((await flyball(["decisions", "web"], invocation)).printed, "no decisions");
    const changes = await flyball(["decisions", "web", "-n", "5", "--changes"], invocation);
    assert.match(changes.printed, /2 -> 4/);
  });

  test("down by name needs the daemon only, and ends when the project is gone", async () => {
    await using daemon = await startRecordedDaemon({
      "DELETE /v1/projects/shop": {
        body: {
          project: "shop",
          services: [],
          diagnostics: [],
          plan: [{ action: "remove shop-web-1", cause: "shop is removed" }],
          holds: [],
        },
        afterwards: NO_SUCH_PROJECT,
      },
    });
    const { printed } = await flyball(["down", "-p", "shop"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.match(printed, /^shop: 0 services, 1 step\n.*\nremove shop-web-1 {2}shop is removed$/);
  });

  test("what cannot be understood ends with 2 and names what is near", async () => {
    for (const [words, expected] of [
      [["pss"], /Did you mean ps\?/],
      [["ps", "--jsn"], /Did you mean --json\?/],
      [["scale"], /missing required argument/],
      [["scale", "web"], /Expected SERVICE=N/],
      [["explain"], /missing required argument/],
      [["explain", "web", "--at", "noon"], /Expected an instant/],
      [["up", "--engine", "podman"], /Allowed choices are auto, docker, process/],
      [["up", "compose.yaml"], /too many arguments/],
      [["ps", "--address", "ftp://x"], /^CONFIG_INVALID/],
    ] as const) {
      const { status, noted, printed } = await flyball(words);
      assert.equal(status, 2, words.join(" "));
      assert.match(noted, expected);
      assert.equal(printed, "");
    }
    assert.equal((await flyball([])).status, 2);
  });

  test("help and version are what was asked for", async () => {
    const help = await flyball(["--help"]);
    assert.equal(help.status, 0);
    for (const name of ["up", "down", "ps", "scale", "plan", "explain", "decisions", "serve"]) {
      assert.match(help.printed, new RegExp(`^ {2}${name} `, "m"));
    }
    assert.match((await flyball(["--version"])).printed, /^\d+\.\d+\.\d+$/);
  });
});
