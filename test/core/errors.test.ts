import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync } from "node:fs";
import { connect, type LookupFunction } from "node:net";
import { describe, test } from "node:test";
import {
  ERRORS,
  FlyballError,
  formatError,
  isFlyballError,
  isSystemError,
  messageOf,
} from "../../core/errors.ts";

describe("the error table", () => {
  for (const [code, { status, exit, meaning }] of Object.entries(ERRORS)) {
    test(`${code} has an HTTP error status, a failing exit status and a meaning`, () => {
      assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
      assert.ok(status >= 400 && status <= 599, `status ${status}`);
      // From 126 on, exit statuses are the shell's own; 1 is what Node itself ends with.
      assert.ok(exit >= 2 && exit <= 125, `exit ${exit}`);
      assert.match(meaning, /^[^|]+[^.|]$/);
    });
  }
});

describe("an error", () => {
  test("carries its code, its problems and its cause", () => {
    const cause = new Error("below");
    const error = new FlyballError("CONFIG_INVALID", "cannot be used", {
      cause,
      problems: [{ at: "listen", message: "expected host:port" }],
    });
    assert.ok(isFlyballError(error));
    assert.equal(error.name, "FlyballError");
    assert.equal(error.cause, cause);
    assert.equal(formatError(error), "CONFIG_INVALID: cannot be used\n  listen: expected host:port");
  });

  test("without a cause has no cause property at all", () => {
    assert.equal(Object.hasOwn(new FlyballError("INTERNAL", "x"), "cause"), false);
  });

  test("of another kind is shown as a defect", () => {
    assert.equal(isFlyballError(new Error("x")), false);
    assert.equal(formatError(new TypeError("x is not a function")), "INTERNAL: x is not a function");
    assert.equal(formatError("a string"), "INTERNAL: a string");
  });

  test("of the system is known by its code", () => {
    let thrown: unknown;
    try {
      statSync("/nowhere/at/all");
    } catch (error) {
      thrown = error;
    }
    assert.ok(isSystemError(thrown, "ENOENT"));
    assert.equal(isSystemError(thrown, "EACCES"), false);
    assert.equal(isSystemError("ENOENT", "ENOENT"), false);
  });

  test("of a name with several addresses, none of which answers, says so for each of them", async (t) => {
    const twoAddresses: LookupFunction = (_host, _options, answer) =>
      answer(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]);
    const socket = connect({ host: "two.test", port: 1, lookup: twoAddresses, autoSelectFamily: true });
    t.after(() => socket.destroy());
    const refused = await once(socket, "connect").catch((error: unknown) => error);
    assert.match(
      messageOf(refused),
      /^connect ECONNREFUSED 127\.0\.0\.1:1; connect ECONNREFUSED 127\.0\.0\.2:1$/,
    );
  });

  test("of any kind has a text", () => {
    assert.equal(messageOf(new Error("why")), "why");
    assert.equal(messageOf(new TypeError()), "TypeError");
    assert.equal(messageOf(undefined), "undefined");
    assert.equal(messageOf({ toString: () => "odd" }), "odd");
  });
});
