import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freePort } from "../lab/free-port.ts";
import { db, web } from "./documents.ts";
import { flyballProcess as flyball } from "./flyball-process.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

describe("the flyball command as a process", () => {
  test("ps prints what the daemon answers, without styles where nobody looks", async () => {
    await using daemon = await startRecordedDaemon({ "GET /v1/services": { body: { services: [web, db] } } });
    const { status, stdout, stderr } = await flyball(["ps"], { FLYBALL_ADDRESS: daemon.address });
    assert.equal(stderr, "");
    assert.match(stdout, /^SERVICE .*\nshop_web +2\/4 .*\nshop_db +1\/1 [^\n]*\n$/);
    assert.equal(status, 0);
  });

  test("ps with no daemon ends with 8 and says how to start one", async () => {
    const address = `http://127.0.0.1:${await freePort()}`;
    const { status, stdout, stderr } = await flyball(["ps"], { FLYBALL_ADDRESS: address });
    assert.equal(status, 8);
    assert.equal(stdout, "");
    assert.ok(stderr.startsWith(`DAEMON_UNREACHABLE: no daemon answers at ${address}`), stderr);
    assert.match(stderr, /flyball serve/);
  });
});
