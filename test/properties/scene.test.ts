import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { lastOf, withinBytes } from "../../orchestrator/scene/bounds.ts";
import { maskSecrets } from "../../orchestrator/scene/mask.ts";

describe("what is kept of a failed replica", () => {
  test("is never larger than its bounds, and always an end of what was written", () => {
    const text = fc.array(fc.string({ unit: "grapheme", maxLength: 40 })).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 4, max: 200 }),
        (log, lines, bytes) => {
          const kept = lastOf(log, lines, bytes);
          assert.ok(Buffer.byteLength(kept) <= bytes);
          assert.ok(kept.split("\n").length <= lines);
          assert.ok(log.replace(/\n$/u, "").endsWith(kept));
        },
      ),
    );
  });

  test("of a description never more than the bytes it may take", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.integer({ min: 2, max: 300 }),
        (value, bytes) => {
          assert.ok(Buffer.byteLength(JSON.stringify(withinBytes(value, bytes).value)) <= bytes);
        },
      ),
    );
  });

  test("never holds a value whose name says that it is a secret", () => {
    const secret = fc.stringMatching(/^[a-z]{4}[0-9]{6}$/);
    const named = fc.constantFrom(
      "DB_PASSWORD",
      "api_token",
      "SECRET_KEY",
      "authHeader",
      "client-credential",
    );
    fc.assert(
      fc.property(named, secret, fc.string(), (name, value, before) => {
        const inspect = {
          Config: { Env: [`${name}=${value}`], Cmd: [`${before}${value}`], Labels: { [name]: value } },
        };
        assert.ok(!JSON.stringify(maskSecrets(inspect)).includes(value));
      }),
    );
  });
});
