import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ERRORS } from "../core/errors.ts";
import { LABELS } from "../core/labels.ts";
import { pages, withPart } from "../docs/generate.ts";

describe("the generated parts of the documentation", () => {
  for (const { path, committed, generated } of pages()) {
    test(`of ${path} are what the generator writes now (npm run docs)`, () =>
      assert.equal(committed, generated));
  }

  test("name every label under all its spellings, and every error", () => {
    const text = (path: string) => pages().find((page) => page.path === path)?.generated ?? assert.fail(path);
    for (const { key, aliases } of Object.values(LABELS)) {
      for (const name of [key, ...aliases]) assert.ok(text("docs/labels.md").includes(`\`${name}\``), name);
    }
    for (const code of Object.keys(ERRORS))
      assert.ok(text("docs/errors.md").includes(`| \`${code}\` |`), code);
  });

  test("replace what stood between the markers and nothing around them", () => {
    const text = "before\n<!-- generated: x -->\nold\n<!-- /generated -->\nafter\n";
    const replaced = withPart(text, "x", "new", "page.md");
    assert.equal(replaced, "before\n<!-- generated: x -->\n\nnew\n\n<!-- /generated -->\nafter\n");
    assert.equal(withPart(replaced, "x", "new", "page.md"), replaced);
  });

  for (const text of [
    "no marker",
    "<!-- generated: x --> without an end",
    "<!-- /generated --><!-- generated: x -->",
    "<!-- generated: x --><!-- generated: x --><!-- /generated -->",
  ]) {
    test(`are refused where the markers are not there once each: ${text}`, () => {
      assert.throws(
        () => withPart(text, "x", "new", "page.md"),
        /expected <!-- generated: x --> once in page\.md/,
      );
    });
  }
});
