import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { labelRules, shownLabels } from "../../collector/expose/label-rules.ts";
import { discovered, measurement, pageOf, pagesOf, round } from "../collector/expose/readings.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 400 }),
  fc.string({ maxLength: 20 }),
  fc.constantFrom("", "\n", '"', "\\", "\\n", "🎉", "\ud800"),
);
const key = fc.oneof(
  text,
  text.map((name) => `business.${name}`),
  fc.constantFrom("business.team", "business.id", "com.docker.compose.project", "mapped"),
);
const labels = fc.dictionary(key, text, { maxKeys: 50, noNullPrototype: true });
const settings = { renamed: { mapped: "mapped-to" }, allowed: ["mapped"], maxValueLength: 50 };

/** As a scraper reads them. */
function readLabels(line: string): { name: string; value: string }[] {
  const between = line.slice(line.indexOf("{") + 1, line.lastIndexOf("}"));
  return Array.from(
    between.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/gsu),
    ([, name = "", value = ""]) => ({
      name,
      value: value.replace(/\\(.)/gsu, (_, letter: string) => (letter === "n" ? "\n" : letter)),
    }),
  );
}

describe("whatever labels a container has", () => {
  test("those that are shown have names that Prometheus takes, each once, and bounded values", () => {
    fc.assert(
      fc.property(labels, (given) => {
        const shown = shownLabels(discovered({ labels: given }), labelRules(settings)).labels;
        assert.ok(shown.length <= 32);
        assert.equal(new Set(shown.map(({ name }) => name)).size, shown.length);
        for (const { name, value } of shown) {
          assert.match(name, /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/u);
          assert.ok(value.length > 0 && value.length <= 50 && value.isWellFormed());
        }
      }),
    );
  });

  test("they are read back from the page as they were shown", async () => {
    await fc.assert(
      fc.asyncProperty(labels, async (given) => {
        const container = discovered({ labels: given });
        const pages = pagesOf(settings);
        pages.update(round([[container, measurement({ threads: 5 })]]));
        const lines = (await pageOf(pages)).toString("utf8").split("\n");
        const line = lines.find((candidate) => candidate.startsWith("container_threads{")) ?? "";
        assert.match(line, / 5$/u);
        const { labels: expected } = shownLabels(container, labelRules(settings));
        assert.deepEqual(readLabels(line).slice(3), expected);
      }),
      { numRuns: 50 },
    );
  });
});
