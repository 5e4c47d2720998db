import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HOUR_MS, MINUTE_MS } from "../../../core/units.ts";
import { cookieFor, serverMark, takeCookie } from "../../../traffic/proxy/cookie.ts";

const BACKEND = "shop_web:80";
const NOW_MS = 1_700_000_000_000;
const MARK = serverMark(BACKEND, "web-1");

/** As a client keeps it. */
function kept(nowMs: number, header?: string): string {
  const had = takeCookie(header, BACKEND, nowMs).sticky;
  return cookieFor(BACKEND, MARK, had, nowMs)?.split(";")[0] ?? header ?? "";
}

describe("the cookie by which a client stays", () => {
  test("names a server without telling its name, and is the client's alone", () => {
    const cookie = cookieFor(BACKEND, MARK, undefined, NOW_MS) ?? "";
    assert.match(cookie, /^flyball\.shop_web\.80=[0-9a-f]{16}\.\w+\.\w+; path=\/; HttpOnly$/);
    assert.doesNotMatch(cookie, /web-1/);
    assert.equal(takeCookie(cookie.split(";")[0], BACKEND, NOW_MS).sticky?.mark, MARK);
  });

  test("is taken out of what the replica sees, and nothing else is", () => {
    const { rest } = takeCookie(`a=1; ${kept(NOW_MS)}; b=2`, BACKEND, NOW_MS);
    assert.equal(rest, "a=1; b=2");
    assert.deepEqual(Object.keys(takeCookie(kept(NOW_MS), BACKEND, NOW_MS)), ["sticky"]);
    assert.deepEqual(takeCookie(undefined, BACKEND, NOW_MS), {});
    assert.deepEqual(takeCookie("flyball.other.80=x", BACKEND, NOW_MS), { rest: "flyball.other.80=x" });
  });

  test("is forgotten after half an hour without a request, and after eight hours in all", () => {
    const first = kept(NOW_MS);
    assert.ok(takeCookie(first, BACKEND, NOW_MS + 29 * MINUTE_MS).sticky !== undefined);
    assert.equal(takeCookie(first, BACKEND, NOW_MS + 31 * MINUTE_MS).sticky, undefined);
    let header = first;
    let nowMs = NOW_MS;
    while (takeCookie(header, BACKEND, nowMs).sticky !== undefined) {
      header = kept(nowMs, header);
      nowMs += 20 * MINUTE_MS;
      assert.ok(nowMs < NOW_MS + 9 * HOUR_MS, "it is not renewed for ever");
    }
    assert.ok(nowMs > NOW_MS + 8 * HOUR_MS);
  });

  test("is sent again only when it would grow old, or another server answers", () => {
    const { sticky } = takeCookie(kept(NOW_MS), BACKEND, NOW_MS);
    assert.equal(cookieFor(BACKEND, MARK, sticky, NOW_MS + 10_000), undefined);
    assert.ok(cookieFor(BACKEND, MARK, sticky, NOW_MS + 2 * MINUTE_MS) !== undefined);
    assert.ok(cookieFor(BACKEND, serverMark(BACKEND, "web-2"), sticky, NOW_MS) !== undefined);
  });

  test("that somebody made up is none", () => {
    for (const value of ["", "x", `${MARK}`, `${MARK}.1`, `${MARK}.!.1`, `${"g".repeat(16)}.1.1`]) {
      assert.equal(takeCookie(`flyball.shop_web.80=${value}`, BACKEND, NOW_MS).sticky, undefined);
    }
  });
});
