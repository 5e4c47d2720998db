import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BUSINESS_PREFIX } from "../../core/business-labels.ts";
import { isJobLabel } from "../../core/job-labels.ts";
import { type DecodedLabels, decodeLabels, LABELS } from "../../core/labels.ts";
import { editDistance, nearest } from "../../core/nearest.ts";
import type { Resources } from "../../core/types.ts";

const SPECS = Object.values(LABELS);
const KEYS = SPECS.flatMap((spec) => [spec.key, ...spec.aliases]);
/** With one of these a service does not scale, so that they must not be everywhere. */
const JOB_KEYS = KEYS.filter(isJobLabel);
const OTHER_KEYS = KEYS.filter((name) => !isJobLabel(name));
const SCALING_KEYS = KEYS.filter((name) => /^(?:autoscale|aliyun\.auto_scaling)\./.test(name));

const resources: fc.Arbitrary<Resources> = fc.record(
  {
    limitCores: fc.double({ min: 0.01, max: 64, noNaN: true }),
    reservedCores: fc.double({ min: 0.01, max: 64, noNaN: true }),
    limitMemoryBytes: fc.integer({ min: 1, max: 2 ** 40 }),
    reservedMemoryBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  },
  { requiredKeys: [] },
);

const plausibleValue = fc.oneof(
  fc.nat(200).map(String),
  fc.nat(200).map((percent) => `${percent}%`),
  fc.double({ min: 0, max: 2, noNaN: true }).map(String),
  fc.tuple(fc.nat(400), fc.constantFrom("ms", "s", "m", "h")).map(([count, unit]) => `${count}${unit}`),
  fc.constantFrom("true", "off", "seventy", "/healthz", ":8080", "", "step", "target"),
  fc
    .tuple(fc.nat(62), fc.constantFrom("*", "8", "22-2"), fc.nat(4), fc.nat(4))
    .map(([minute, hour, least, most]) => `${minute} ${hour} * * 1 = ${least}..${most}; 0 8 * * * = 3`),
);
const key = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(...OTHER_KEYS) },
  { weight: 1, arbitrary: fc.constantFrom(...JOB_KEYS) },
  {
    weight: 8,
    arbitrary: fc.constantFrom("autoscale.", "autoscale.idle", "aliyun.x", "business.team", "business."),
  },
  { weight: 8, arbitrary: fc.string() },
);
const labels = fc.dictionary(key, fc.oneof({ weight: 3, arbitrary: plausibleValue }, fc.string()), {
  maxKeys: 10,
});

/** What must hold of whatever was decoded. */
function assertSound(decoded: DecodedLabels, given: Readonly<Record<string, string>>): void {
  const errors = decoded.diagnostics.filter(({ severity }) => severity === "error");
  const { scaling } = decoded;
  if (scaling === undefined) {
    const asked = SPECS.filter((spec) => spec.key.startsWith("autoscale.")).some((spec) =>
      [spec.key, ...spec.aliases].some((name) => given[name] !== undefined),
    );
    assert.ok(!asked || errors.length > 0, "asked to scale, does not, and nobody is told");
    return;
  }
  assert.deepEqual(errors, []);
  assert.ok(scaling.rules.length > 0);
  assert.ok(1 <= scaling.minReplicas && scaling.minReplicas <= scaling.maxReplicas);
  assert.ok(Number.isInteger(scaling.step) && scaling.step >= 1);
  assert.ok(scaling.windowMs > 0 && scaling.cooldownMs >= 0 && (scaling.stabilizationMs ?? 0) >= 0);
  for (const { metric, max, min, capacity, expression } of scaling.rules) {
    const isShare = metric === "cpu" || metric === "memory";
    assert.ok(max > 0 && Number.isFinite(max) && (max <= 100 || !isShare));
    assert.ok(min === undefined || (min < max && (min > 0 || metric === "query")));
    assert.ok(isShare ? capacity !== undefined && capacity > 0 : capacity === undefined);
    assert.equal(expression !== undefined, metric === "query");
  }
  for (const { minReplicas, maxReplicas } of scaling.schedule) {
    assert.ok(1 <= minReplicas && minReplicas <= maxReplicas);
  }
}

test("labels never throw, and give a policy within its own bounds or at least one error", () => {
  fc.assert(
    fc.property(labels, resources, (given, of) => assertSound(decodeLabels(given, of, "labels"), given)),
    { numRuns: 1_000 },
  );
});

/** Mostly labels that can be read, of which some contradict others. */
const readable = fc
  .array(
    fc
      .oneof(
        {
          weight: 20,
          arbitrary: fc.constantFrom(...SPECS.filter((spec) => SCALING_KEYS.includes(spec.key))),
        },
        { weight: 20, arbitrary: fc.constantFrom(...SPECS.filter((spec) => OTHER_KEYS.includes(spec.key))) },
        { weight: 1, arbitrary: fc.constantFrom(...SPECS.filter((spec) => JOB_KEYS.includes(spec.key))) },
      )
      .chain(({ key: name, example }) =>
        fc.tuple(
          fc.constant(name),
          fc.oneof({ weight: 9, arbitrary: fc.constant(example) }, { weight: 1, arbitrary: plausibleValue }),
        ),
      ),
    { maxLength: 6 },
  )
  .map((entries): Record<string, string> => Object.fromEntries(entries));

test("with defaults of a configuration, services scale as soundly, or are told why they do not", () => {
  let scaled = 0;
  fc.assert(
    fc.property(readable, resources, readable, (given, of, wouldBe) => {
      const defaults = Object.fromEntries(
        Object.entries(wouldBe).flatMap(([name, text]) =>
          name.startsWith("autoscale.") ? [[name.slice("autoscale.".length), text]] : [],
        ),
      );
      const decoded = decodeLabels(given, of, "labels", { defaults, hasPrometheus: false });
      assertSound(decoded, given);
      if (decoded.scaling !== undefined) scaled += 1;
    }),
    { numRuns: 1_000 },
  );
  assert.ok(scaled > 30, `${scaled} of 1000 scaled`);
});

test("every problem stands at a label that was written, or at the labels as a whole", () => {
  fc.assert(
    fc.property(labels, resources, (given, of) => {
      const places = new Set(["labels", ...Object.keys(given).map((name) => `labels.${name}`)]);
      for (const { path } of decodeLabels(given, of, "labels").diagnostics) assert.ok(places.has(path), path);
    }),
    { numRuns: 1_000 },
  );
});

test("every business label is kept as a Prometheus label or refused by name", () => {
  const business = fc.dictionary(
    fc
      .oneof(fc.string(), fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/))
      .map((name) => BUSINESS_PREFIX + name),
    fc.string(),
  );
  fc.assert(
    fc.property(business, (given) => {
      const { businessLabels, diagnostics } = decodeLabels(given, {}, "labels");
      for (const [written, value] of Object.entries(given)) {
        const name = written.slice(BUSINESS_PREFIX.length);
        const refused = diagnostics.some(({ path }) => path === `labels.${written}`);
        assert.equal(Object.hasOwn(businessLabels, name), !refused);
        if (!refused) assert.equal(businessLabels[name], value);
      }
    }),
  );
});

test("a threshold that flaps by arithmetic no longer does with the value that the warning names", () => {
  const flapping = fc.record({
    max: fc.integer({ min: 2, max: 99 }),
    min: fc.integer({ min: 2, max: 98 }),
    step: fc.integer({ min: 1, max: 5 }),
    least: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(flapping, ({ max, min, step, least }) => {
      fc.pre(min < max);
      const decode = (minCpu: number) =>
        decodeLabels(
          {
            "autoscale.max_cpu": `${max}`,
            "autoscale.min_cpu": `${minCpu}`,
            "autoscale.step": `${step}`,
            "autoscale.min": `${least}`,
          },
          {},
          "labels",
        );
      const [warning] = decode(min).diagnostics;
      const named = /say min_cpu: "(\d+)"/.exec(warning?.message ?? "")?.[1];
      if (named !== undefined) assert.deepEqual(decode(Number(named)).diagnostics, []);
    }),
    { numRuns: 1_000 },
  );
});

test("the nearest label to one with a slip of a single letter is that label, or one just as near", () => {
  const slip = fc.record({
    label: fc.constantFrom(...KEYS),
    at: fc.nat(60),
    kind: fc.constantFrom("missing", "added", "changed", "swapped"),
    letter: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz_"),
  });
  fc.assert(
    fc.property(slip, ({ label, at, kind, letter }) => {
      const index = at % label.length;
      const [head, tail] = [label.slice(0, index), label.slice(index)];
      const slipped = {
        missing: head + tail.slice(1),
        added: head + letter + tail,
        changed: head + letter + tail.slice(1),
        swapped: head + tail.charAt(1) + tail.charAt(0) + tail.slice(2),
      }[kind];
      const found = nearest(slipped, KEYS) ?? assert.fail(`nothing is near to ${slipped}`);
      assert.ok(editDistance(slipped, found) <= 1);
      const others = KEYS.filter((other) => other !== label && editDistance(slipped, other) <= 1);
      if (others.length === 0) assert.equal(found, label);
    }),
    { numRuns: 1_000 },
  );
});

test("the edit distance is a distance: none to itself, the same both ways, never more than the longer word", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
    }),
  );
});
