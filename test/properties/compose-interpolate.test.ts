import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { interpolate } from "../../orchestrator/compose/interpolate.ts";

/** Any text with its dollar signs escaped. */
const escaped = (text: string) => text.replaceAll("$", "$$$$");
const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/u);
/** Texts that can stand as a default: no braces and no dollar signs. */
const plain = fc.string().filter((text) => !/[${}]/u.test(text));
const dollars = fc.string({ unit: fc.constantFrom("$", "{", "}", ":", "-", "?", "+", "A", "_", "1", " ") });
const none = () => undefined;

describe("interpolation", () => {
  test("gives an escaped text back unchanged", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), dollars), (text) => {
        assert.deepEqual(interpolate(escaped(text), none), { text, missing: [], problems: [] });
      }),
    );
  });

  test("never throws, and leaves a text without dollar signs alone", () => {
    fc.assert(
      fc.property(dollars, (text) => {
        const result = interpolate(text, none);
        if (!text.includes("$")) assert.equal(result.text, text);
      }),
    );
  });

  test("puts a value in as it is, whatever is in it", () => {
    fc.assert(
      fc.property(name, fc.string(), plain, plain, (variable, value, before, after) => {
        const result = interpolate(`${before}\${${variable}}${after}`, () => value);
        assert.equal(result.text, `${before}${value}${after}`);
      }),
    );
  });

  test("takes the default exactly where the shell would", () => {
    fc.assert(
      fc.property(name, fc.option(fc.string(), { nil: undefined }), plain, (variable, value, word) => {
        const expand = (operator: string) => interpolate(`\${${variable}${operator}${word}}`, () => value);
        assert.equal(expand(":-").text, value ? value : word);
        assert.equal(expand("-").text, value ?? word);
        assert.equal(expand(":+").text, value ? word : "");
        assert.equal(expand("+").text, value === undefined ? "" : word);
        assert.equal(expand(":?").problems.length, value ? 0 : 1);
        assert.equal(expand("?").problems.length, value === undefined ? 1 : 0);
      }),
    );
  });

  test("reads defaults inside defaults to any depth people write", () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), plain, (names, last) => {
        const text = names.reduceRight((inner, variable) => `\${${variable}:-${inner}}`, last);
        assert.equal(interpolate(text, none).text, last);
      }),
    );
  });
});
