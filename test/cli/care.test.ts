import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Doctor, FailureView, Leftovers } from "../../core/wire-care.ts";
import { daemonCodeDouble } from "./daemon-code-double.ts";
import { db, NOW_MS, web } from "./documents.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

const failure: FailureView = {
  service: "shop_web",
  slot: 2,
  replica: "b2",
  name: "shop-web-2",
  failure: "error",
  reason: "ended with status 3",
  takenAtMs: NOW_MS - 59_000,
  startedAtMs: NOW_MS - 120_000,
  exitedAtMs: NOW_MS - 60_000,
  exitCode: 3,
  log: "opening the till\ncannot open the till\u001b[2J",
  missing: ["inspect: Mounts is too large to be kept"],
};

const leftovers: Leftovers = {
  items: [
    {
      key: "volume 3f0c",
      kind: "volume",
      name: "3f0c",
      service: "shop_web",
      bytes: 2 ** 20,
      why: "an anonymous volume that shop_web left behind",
    },
    { key: "log a.log", kind: "log", name: "a.log", why: "the log of a replica that is no more" },
  ],
  kept: ["2 unused images that somebody has tagged"],
};

const doctor: Doctor = {
  services: [
    { service: "shop_web", verdict: "can", sentence: "can scale", findings: [] },
    {
      service: "shop_api",
      verdict: "can-after",
      sentence: 'can scale after this: publish "80" alone',
      findings: [
        {
          rule: "host-port",
          effect: "after",
          because: "host port 80 is fixed",
          change: 'publish "80" alone',
        },
        { rule: "hostname", effect: "note", because: "hostname api is the same", change: "remove hostname" },
      ],
    },
    {
      service: "shop_db",
      verdict: "cannot",
      sentence: "cannot scale because volume pg is of postgres",
      findings: [
        { rule: "single-writer", effect: "cannot", because: "volume pg is of postgres", change: "keep one" },
        { rule: "host-port", effect: "after", because: "host port 5432 is fixed", change: "publish none" },
      ],
    },
  ],
  leftovers,
  missing: [],
};

describe("the commands that look after what went wrong", () => {
  test("ps --failed lists the replicas that failed, and of the services named all that they wrote last", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /v1/services": { body: { services: [web, db] } },
      "GET /v1/services/shop_web/failures": { body: { failures: [failure] } },
      "GET /v1/services/shop_db/failures": { body: { failures: [] } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.equal(
      (await flyball(["ps", "--failed"], invocation)).printed,
      `TIME                  SERVICE   SLOT  REPLICA     WHAT                 LAST LINE
2026-11-21T07:59:00Z  shop_web  2     shop-web-2  ended with status 3  cannot open the till\uFFFD[2J`,
    );
    assert.equal(
      (await flyball(["ps", "--failed", "web"], invocation)).printed,
      `shop-web-2 ended with status 3 at 2026-11-21T07:59:00Z
started at 2026-11-21T07:58:00Z
missing: inspect: Mounts is too large to be kept
  opening the till
  cannot open the till\uFFFD[2J`,
    );
    assert.match((await flyball(["ps", "--failed", "db"], invocation)).printed, /^no replica has failed/);
    const { printed } = await flyball(["ps", "--failed", "--json"], invocation);
    assert.deepEqual(JSON.parse(printed), [failure]);
  });

  test("doctor tells each verdict with the other half of it below, and what could be cleared away", async () => {
    await using daemon = await startRecordedDaemon({
      "GET /readyz": { body: { ready: true, engine: "docker", collector: "running" } },
      "GET /v1/doctor": { body: doctor },
      "GET /v1/doctor?project=shop": { body: { services: [], missing: [] } },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    assert.equal(
      (await flyball(["doctor"], invocation)).printed,
      `shop_web: can scale
shop_api: can scale after this: publish "80" alone
  because host port 80 is fixed
  note: hostname api is the same: remove hostname
shop_db: cannot scale because volume pg is of postgres
  instead: keep one
  and because host port 5432 is fixed: publish none
2 things to clear away, 1 MiB and more that nobody has counted (flyball gc shows what)
kept: 2 unused images that somebody has tagged`,
    );
    assert.match((await flyball(["doctor", "shop"], invocation)).printed, /^no services/);
    assert.deepEqual(JSON.parse((await flyball(["doctor", "--json"], invocation)).printed), doctor);
  });

  test("doctor reads the files when they are given, and where no daemon answers", async () => {
    const { code, calls } = daemonCodeDouble();
    const nowhere = { FLYBALL_LISTEN: "127.0.0.1:9" };
    assert.equal((await flyball(["doctor", "shop"], { environment: nowhere, code })).status, 0);
    await using daemon = await startRecordedDaemon({ "GET /v1/doctor": { body: doctor } });
    const environment = { FLYBALL_ADDRESS: daemon.address };
    assert.equal((await flyball(["doctor", "-f", "a.yaml"], { environment, code })).status, 0);
    assert.deepEqual(calls, ["diagnose shop", "diagnose shop"]);
    assert.deepEqual(daemon.heard, []);
  });

  test("gc shows what could go and removes nothing; with --yes it removes what it has shown, by name", async () => {
    const [volume, log] = leftovers.items;
    await using daemon = await startRecordedDaemon({
      "GET /v1/leftovers": { body: leftovers },
      "POST /v1/leftovers/sweep": {
        body: { swept: [volume, { ...log, problem: "a.log stays: a replica has it" }] },
      },
    });
    const invocation = { environment: { FLYBALL_ADDRESS: daemon.address } };
    const plan = `KIND    NAME   SERVICE   SIZE   WHY
volume  3f0c   shop_web  1 MiB  an anonymous volume that shop_web left behind
log     a.log  -         -      the log of a replica that is no more
2 things to clear away, 1 MiB and more that nobody has counted (flyball gc --yes removes what is shown)
kept: 2 unused images that somebody has tagged`;
    assert.deepEqual(await flyball(["gc"], invocation), { status: 0, printed: plan, noted: "" });
    assert.equal(daemon.heard.length, 1);

    const { status, printed, noted } = await flyball(["gc", "--yes"], invocation);
    assert.equal(
      printed,
      `${plan}\nstays: log a.log: a.log stays: a replica has it\nremoved 1 of 2 things, 1 MiB`,
    );
    assert.deepEqual(daemon.heard.at(-1)?.body, { keys: ["volume 3f0c", "log a.log"] });
    assert.equal(status, 5);
    assert.match(noted, /^ENGINE_REFUSED: 1 of 2 could not be removed/);
  });
});
