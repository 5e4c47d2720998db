import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NOW_MS, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const SERVICES = { "GET /v1/services": { body: { services: [web] } } };

describe("whether a service is scaled or only watched", () => {
  test("is said in one word each, and what it means is answered", async () => {
    const stories = [
      ["approve", "live", "shop_web is scaled by its rules"],
      ["shadow", "shadow", "shop_web shows what its rules would do, until flyball approve shop_web"],
      ["pause", "paused", "shop_web keeps its count, until flyball resume shop_web"],
      ["resume", "live", "shop_web is scaled by its rules"],
    ] as const;
    for (const [word, mode, printed] of stories) {
      await using daemon = await startRecordedDaemon({
        ...SERVICES,
        "PUT /v1/services/shop_web/autoscale": { body: { service: "shop_web", mode } },
      });
      const end = await flyball([word, "web"], { environment: { FLYBALL_ADDRESS: daemon.address } });
      assert.deepEqual([end.status, end.printed], [0, printed]);
    }
  });

  test("is changed of no service when a name among them is not known", async () => {
    await using daemon = await startRecordedDaemon(SERVICES);
    const { status, noted } = await flyball(["pause", "web", "wbe"], {
      environment: { FLYBALL_ADDRESS: daemon.address },
    });
    assert.equal(status, 3);
    assert.match(noted, /did you mean web/);
  });
});

describe("decisions --verify", () => {
  const verify = async (verification: unknown, ...flags: string[]) => {
    await using daemon = await startRecordedDaemon({
      ...SERVICES,
      "GET /v1/services/shop_web/decisions?limit=1&verify=true": {
        body: { decisions: [], ...(verification === undefined ? {} : { verification }) },
      },
    });
    const environment = { FLYBALL_ADDRESS: daemon.address };
    return await flyball(["decisions", "web", "--verify", ...flags], { environment });
  };

  test("says how many decide the same again", async () => {
    const { status, printed } = await verify({ recorded: 120, identical: 120 });
    assert.deepEqual([status, printed], [0, "shop_web: 120 of 120 identical"]);
  });

  test("shows the first that does not, and fails", async () => {
    const firstDifference = { atMs: NOW_MS, recorded: '{"to":3}', replayed: '{"to":2}' };
    const { status, printed, noted } = await verify({ recorded: 2, identical: 1, firstDifference });
    assert.equal(status, 70);
    assert.equal(
      printed,
      [
        "shop_web: 1 of 2 identical; the first that is not, at 2026-11-21T08:00:00Z:",
        'recorded {"to":3}',
        'replayed {"to":2}',
      ].join("\n"),
    );
    assert.match(noted, /come out otherwise now/);
  });

  test("is printed as the daemon gave it when JSON is asked for", async () => {
    const { printed } = await verify({ recorded: 1, identical: 1 }, "--json");
    assert.deepEqual(JSON.parse(printed), { recorded: 1, identical: 1 });
  });

  test("of a daemon that cannot says so", async () => {
    const { status, noted } = await verify(undefined);
    assert.equal(status, 8);
    assert.match(noted, /cannot verify/);
  });
});
