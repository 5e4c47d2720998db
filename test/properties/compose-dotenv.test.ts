import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDotenv } from "../../orchestrator/compose/dotenv.ts";

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/u);
const none = () => undefined;

describe("a .env file", () => {
  test("never throws, whatever is in it", () => {
    const anything = fc.string({
      unit: fc.constantFrom("A", "=", '"', "'", "\\", "$", "{", "}", "#", " ", "\n", ":", "-"),
    });
    fc.assert(
      fc.property(anything, (text) => {
        parseDotenv(text, none);
      }),
    );
  });

  test("gives back what stands in single quotes, over lines and with dollar signs", () => {
    const value = fc.string().filter((text) => !/['\\\r]/u.test(text));
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (variables) => {
        const text = Object.entries(variables)
          .map(([key, content]) => `${key}='${content}' # a comment`)
          .join("\n");
        assert.deepEqual(parseDotenv(text, none), { variables, missing: [], problems: [] });
      }),
    );
  });
});
