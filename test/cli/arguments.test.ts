import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addressOf, parseAddress } from "../../cli/address.ts";
import { readCount, readInstantMs, readScaleTarget } from "../../cli/arguments.ts";
import { failureIn } from "../../cli/detach.ts";
import { resolveService } from "../../cli/service-name.ts";
import { db, NOW_MS, otherWeb, web } from "./documents.ts";

describe("what was typed", () => {
  test("scale targets are service and count", () => {
    assert.deepEqual(readScaleTarget("api=0", readScaleTarget("shop_web=12")), [
      { service: "shop_web", replicas: 12 },
      { service: "api", replicas: 0 },
    ]);
    for (const text of ["web", "web=", "=3", "web=-1", "web=1.5", "web=many", "web=100001", "web=9999999"]) {
      assert.throws(() => readScaleTarget(text), /Expected SERVICE=N/, text);
    }
    assert.throws(() => readScaleTarget("web=2", readScaleTarget("web=1")), /web was given twice/);
  });

  test("a count is between 1 and 1000", () => {
    assert.equal(readCount("1000"), 1000);
    for (const text of ["0", "1001", "-3", "3.5", "", "all", "1e2"]) {
      assert.throws(() => readCount(text), /whole number/, text);
    }
  });

  test("an instant is a time of the calendar, milliseconds, or how long ago", () => {
    assert.equal(readInstantMs("2026-11-21T08:00:00Z", 0), NOW_MS);
    assert.equal(readInstantMs("2026-11-21T09:00:00+01:00", 0), NOW_MS);
    assert.equal(readInstantMs("2026-11-21 08:00Z", 0), NOW_MS);
    assert.equal(readInstantMs("1700000000000", 0), 1_700_000_000_000);
    assert.equal(readInstantMs("1m30s", NOW_MS), NOW_MS - 90_000);
    for (const text of [
      "yesterday",
      "2026-11-21",
      "2026-11-21T08:00:00",
      "2026-13-41T08:00:00Z",
      "-5m",
      "",
    ]) {
      assert.throws(() => readInstantMs(text, NOW_MS), /Expected an instant/, text);
    }
  });

  test("a service is found by its id, or by its name where only one project has it", () => {
    assert.equal(resolveService("shop_web", [web, db, otherWeb]), "shop_web");
    assert.equal(resolveService("db", [web, db, otherWeb]), "shop_db");
    assert.throws(() => resolveService("web", [web, otherWeb]), {
      code: "REQUEST_INVALID",
      message: "web could mean shop_web or blog_web: expected one of them",
    });
    assert.throws(() => resolveService("wbe", [web, db]), {
      code: "NOT_FOUND",
      message: "there is no service wbe: did you mean web?",
    });
    assert.throws(() => resolveService("queue", []), { code: "NOT_FOUND", message: /flyball ps/ });
  });

  test("an id is itself even where it is also the name of another project's service", () => {
    const odd = { id: "blog_shop_web", name: "shop_web" };
    assert.equal(resolveService("shop_web", [odd, web]), "shop_web");
  });

  test("an address is a URL, or host and port", () => {
    assert.equal(parseAddress("127.0.0.1:7070"), "http://127.0.0.1:7070");
    assert.equal(parseAddress("localhost:7070/"), "http://localhost:7070");
    assert.equal(parseAddress("https://flyball.example/behind/"), "https://flyball.example/behind");
    for (const text of ["ftp://x", "http://x?token=y", "", "a b"]) {
      assert.throws(() => parseAddress(text), { code: "CONFIG_INVALID" }, text);
    }
    assert.throws(() => parseAddress("http://me:secret@x"), { message: /FLYBALL_TOKEN/ });
  });

  test("a daemon that listens everywhere is asked here", () => {
    assert.equal(addressOf({ host: "0.0.0.0", port: 7070 }), "http://127.0.0.1:7070");
    assert.equal(addressOf({ host: "::", port: 7070 }), "http://[::1]:7070");
    assert.equal(addressOf({ host: "flyball.example", port: 1 }), "http://flyball.example:1");
  });

  test("why a detached daemon did not start is in the last coded line of its log", () => {
    const log = '{"level":30}\nPORT_IN_USE: 127.0.0.1:7070 is taken\n  127.0.0.1: more\n';
    const error = failureIn(log, "/data/flyball.log");
    assert.equal(error.code, "PORT_IN_USE");
    assert.equal(error.message, "the daemon did not start: 127.0.0.1:7070 is taken (/data/flyball.log)");
    assert.equal(failureIn("Segmentation fault\n", "x").code, "INTERNAL");
    assert.equal(failureIn("", "x").code, "INTERNAL");
  });
});
