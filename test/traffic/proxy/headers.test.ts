import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerHeaders, passOn } from "../../../traffic/proxy/headers.ts";

describe("headers that are passed on", () => {
  test("of an answer are those of what is answered, and none of the connection", () => {
    const headers = {
      connection: "keep-alive, x-secret",
      "keep-alive": "timeout=5",
      "transfer-encoding": "chunked",
      "x-secret": "1",
      "content-type": "text/plain",
      "set-cookie": ["a=1", "b=2"],
    };
    assert.deepEqual(answerHeaders(headers), {
      "content-type": "text/plain",
      "set-cookie": ["a=1", "b=2"],
    });
    assert.equal(headers["keep-alive"], "timeout=5", "what they were read from is left as it is");
  });

  test("of a request say who asks, after those who said so before", () => {
    const headers = {
      connection: "close",
      te: "trailers",
      expect: "100-continue",
      "x-forwarded-for": "10.1.1.1",
    };
    passOn(headers, "::ffff:192.0.2.1", false);
    assert.deepEqual(headers, { "x-forwarded-for": "10.1.1.1, 192.0.2.1" });
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    passOn(upgrade, "192.0.2.1", true);
    assert.deepEqual(upgrade, {
      connection: "Upgrade",
      upgrade: "websocket",
      "x-forwarded-for": "192.0.2.1",
    });
  });

  test("of a request keep how its body is sent", () => {
    const headers = { "transfer-encoding": "chunked", "content-type": "text/plain" };
    passOn(headers, undefined, false);
    assert.deepEqual(headers, { "transfer-encoding": "chunked", "content-type": "text/plain" });
  });
});
