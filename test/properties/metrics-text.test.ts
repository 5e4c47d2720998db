import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { labelText, relabelled, valueText } from "../../collector/apps/app-labels.ts";
import { applicationPage } from "../../collector/apps/application-page.ts";
import { type Label, parseMetricsText } from "../../collector/apps/metrics-text.ts";

const labelName = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/u);
const label = fc.record(
  { name: labelName, value: fc.string({ unit: "grapheme" }).map((text) => text.toWellFormed()) },
  { noNullPrototype: true },
);
const labels = fc.uniqueArray(label, { selector: ({ name }) => name, maxLength: 5 });
const value = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, 1e300));
/** What other texts are made of, so that chance comes near to what means something. */
const nearly = fc
  .array(
    fc.constantFrom(
      "# TYPE ",
      "# HELP ",
      "a",
      "a_total",
      "a_bucket",
      " ",
      "{",
      "}",
      '"',
      "=",
      ",",
      "\\",
      "1",
      "NaN",
      "\n",
      "counter",
      "histogram",
      "le",
      "#",
      "\r",
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(""));

const byName = (list: readonly Label[]) => list.toSorted((a, b) => (a.name < b.name ? -1 : 1));

describe("the text of an application's metrics", () => {
  test("whatever it is, is read without an error, and what is read can be written and read again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly), fc.boolean(), (text, openMetrics) => {
        const { families } = parseMetricsText(text, 100);
        const shown = families.map((family) => ({
          ...family,
          series: family.series.map((one) => ({ ...one, labels: labelText(one.labels) })),
        }));
        const page = applicationPage([shown], openMetrics);
        const again = parseMetricsText(page.text, 100);
        assert.equal(again.badLines, 0, page.text);
        const count = (list: typeof families) => list.reduce((sum, { series }) => sum + series.length, 0);
        assert.ok(count(again.families) <= count(families));
      }),
      { numRuns: 500 },
    );
  });

  test("gives back every label and value that was written into it", () => {
    fc.assert(
      fc.property(labels, value, (given, number) => {
        const line = `some_metric${labelText(given)} ${valueText(number)}\n`;
        const { families, badLines } = parseMetricsText(line, 10);
        assert.equal(badLines, 0);
        const [series] = families[0]?.series ?? [];
        assert.deepEqual(series?.labels, given);
        assert.ok(Object.is(series.value, number) || series.value === number);
      }),
    );
  });

  test("never takes a label from what the collector says, nor loses one of its own", () => {
    fc.assert(
      fc.property(labels, labels, (own, given) => {
        const result = relabelled(own, given);
        assert.deepEqual(result.slice(0, own.length), own);
        assert.equal(new Set(result.map(({ name }) => name)).size, result.length);
        const kept = given.filter(({ value: text }) => text !== "");
        assert.deepEqual(
          byName(result.slice(own.length))
            .map(({ value: text }) => text)
            .toSorted(),
          kept.map(({ value: text }) => text).toSorted(),
        );
      }),
    );
  });
});
