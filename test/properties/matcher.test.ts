import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatMatcher, type Matcher, matchesAll, parseMatcher } from "../../core/matcher.ts";

const matches = (value: string, text: string) =>
  matchesAll([{ name: "x", value, isEqual: true, isRegex: true }], { x: text });

/** Pieces of a pattern, as this language and a regular expression both read them. */
const piece = fc.oneof(
  fc.constantFrom("a", "b", ".", ".*", ".+", "|", "_", "-", " "),
  fc.constantFrom("\\.", "\\*", "\\|", "\\\\", "\\("),
);
const pattern = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
const subject = fc.string({
  unit: fc.constantFrom("a", "b", ".", "*", "|", "\\", "(", "_", "-", " "),
  maxLength: 12,
});

describe("a pattern of a matcher", () => {
  test("matches what a regular expression over the whole text matches", () => {
    fc.assert(
      fc.property(pattern, subject, (value, text) => {
        assert.equal(
          matches(value, text),
          new RegExp(`^(?:${value})$`, "su").test(text),
          `${value} on ${text}`,
        );
      }),
      { numRuns: 3_000 },
    );
  });

  test("takes no longer for a text that nearly matches, however often it tries", () => {
    const value = `${".*a".repeat(80)}b`;
    const startedMs = process.cpuUsage().user;
    assert.equal(matches(value, "a".repeat(4_000)), false);
    // A search that goes back everywhere would not end in this life.
    assert.ok(process.cpuUsage().user - startedMs < 5_000_000);
  });

  test("is refused where it means something that this language does not know", () => {
    for (const value of ["(a|b)", "a*", "a{2}", "[ab]", "a?", "^a", "a$", "\\d", "a\\"]) {
      const text = `x=~"${value.replaceAll("\\", "\\\\")}"`;
      assert.equal(typeof parseMatcher(text), "string", value);
    }
  });
});

describe("a matcher", () => {
  test("is read as it is written, whatever its value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.boolean(), (value, isEqual) => {
        const matcher: Matcher = { name: "label_1", value, isEqual, isRegex: false };
        assert.deepEqual(parseMatcher(formatMatcher(matcher)), matcher);
      }),
    );
  });

  test("takes a label that is not there for empty, and not for one of every object", () => {
    const of = (text: string) => {
      const matcher = parseMatcher(text);
      return typeof matcher === "string" ? assert.fail(matcher) : matchesAll([matcher], { a: "1" });
    };
    assert.deepEqual(
      [of("b="), of("b!="), of('b=~".+"'), of("constructor="), of("a=1"), of("a!=1")],
      [true, false, false, true, true, false],
    );
  });
});
