import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isOwnOverride, overrideText } from "../../cli/override-file.ts";
import type { AuditLine } from "../../core/wire.ts";
import { daemonCodeDouble } from "./daemon-code-double.ts";
import { db, NOW_MS, otherWeb, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const lines: AuditLine[] = [
  {
    atMs: NOW_MS,
    project: "shop",
    service: "shop_web",
    who: "docker compose",
    what: "external",
    from: 3,
    to: 1,
    policy: "adopt",
    sentence: "docker compose up removed web-2 and web-3; goes on from 1",
  },
  { atMs: NOW_MS, project: "shop", who: "docker compose", what: "down", sentence: "took it away" },
];

describe("flyball audit", () => {
  test("shows who changed what, a line each, or the answer as JSON", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/audit?limit=20": { body: { lines } },
      "GET /v1/audit?limit=1": { body: { lines: [] } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const { printed } = await flyball(["audit"], invocation);
    assert.match(printed, /^TIME +SERVICE +WHO +REPLICAS +POLICY +WHAT\n/);
    assert.match(
      printed,
      /shop_web +docker compose +3 -> 1 +adopt +docker compose up removed web-2 and web-3/,
    );
    assert.match(printed, /shop +docker compose +- +- +took it away$/);
    assert.deepEqual(JSON.parse((await flyball(["audit", "--json"], invocation)).printed), lines);
    assert.equal(
      (await flyball(["audit", "-n", "1"], invocation)).printed,
      "no changes by hand or by others",
    );
  });
});

describe("flyball override", () => {
  test("says scale: for what scales, and deploy.replicas only where the files say it already", () => {
    const text = overrideText("shop", [web, { ...web, name: "api" }], { api: { deploy: { replicas: 2 } } });
    assert.ok(isOwnOverride(text));
    assert.match(text, /\nservices:\n {2}api:\n {4}deploy:\n {6}replicas: 4\n {2}web:\n {4}scale: 4\n$/);
  });

  test("is of the project that is named, of the files here, or the only one", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web, db, otherWeb] } },
    });
    const { code } = daemonCodeDouble();
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address }, code };
    const { printed } = await flyball(["override", "shop"], invocation);
    assert.match(printed, /of project shop,.*\nservices:\n {2}web:\n {4}scale: 4$/s);
    assert.equal((await flyball(["override"], invocation)).printed, printed);
    const none = await flyball(["override", "blog"], invocation);
    assert.equal(none.status, 3);
    assert.match(none.noted, /no service of blog scales/);
    const unknown = await flyball(["override", "nothing"], invocation);
    assert.match(unknown.noted, /expected a project of the daemon, got nothing: there are shop, blog/);
  });

  test("writes over a file of its own, and over no other", async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "flyball-override-"));
    t.after(() => rmSync(directory, { recursive: true }));
    await using daemon = await startRecordedDaemon({ "GET /v1/services": { body: { services: [web] } } });
    const { code } = daemonCodeDouble();
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address }, code };
    const own = join(directory, "compose.flyball.yaml");
    for (const _ of ["once", "again"])
      assert.equal((await flyball(["override", "--output", own], invocation)).status, 0);
    assert.ok(isOwnOverride(readFileSync(own, "utf8")));

    const foreign = join(directory, "compose.override.yaml");
    writeFileSync(foreign, "services: {}\n");
    const { status, noted } = await flyball(["override", "--output", foreign], invocation);
    assert.equal(status, 2);
    assert.match(noted, /was not written by flyball override, and is left alone/);
    assert.equal(readFileSync(foreign, "utf8"), "services: {}\n");
  });
});
