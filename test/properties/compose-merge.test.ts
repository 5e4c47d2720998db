import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { distinctDocument, mergeDocuments } from "../../orchestrator/compose/merge.ts";
import { mapValues, type YamlMapping, type YamlValue } from "../../orchestrator/compose/values.ts";

const word = fc.stringMatching(/^[a-z]{1,3}$/u);
const words = fc.array(word, { maxLength: 4 });
const textMap = fc.dictionary(word, fc.option(word, { nil: null }), { maxKeys: 4, noNullPrototype: true });
const port = fc.record(
  { target: fc.integer({ min: 1, max: 9 }), published: word, protocol: fc.constantFrom("tcp", "udp") },
  { requiredKeys: ["target"], noNullPrototype: true },
);
const mount = fc.record({ type: fc.constant("volume"), target: word }, { noNullPrototype: true });

/** Services in canonical form, with one key of every rule. */
const service = fc.record(
  {
    image: word,
    command: words,
    environment: textMap,
    labels: textMap,
    ports: fc.array(port, { maxLength: 4 }),
    volumes: fc.array(mount, { maxLength: 4 }),
    expose: words,
    security_opt: words,
    networks: fc.dictionary(word, fc.constant(null), { maxKeys: 3, noNullPrototype: true }),
    deploy: fc.record({ replicas: fc.nat(9), labels: textMap }, { requiredKeys: [], noNullPrototype: true }),
    healthcheck: fc.record({ test: words, retries: fc.nat(9) }, { requiredKeys: [], noNullPrototype: true }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const document: fc.Arbitrary<YamlMapping> = fc
  .dictionary(word, service, { maxKeys: 3, noNullPrototype: true })
  .map((services) => ({ services }) as YamlMapping);

function merge(base: YamlMapping, override: YamlMapping): YamlMapping {
  return mergeDocuments(base, override, (path, message) => assert.fail(`${path.join(".")}: ${message}`));
}

function reversed(value: YamlValue): YamlValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(mapValues(value, reversed)).reverse());
}

describe("merging compose files", () => {
  test("an empty file changes nothing, before or after", () => {
    fc.assert(
      fc.property(document, (only) => {
        assert.deepEqual(merge(only, {}), distinctDocument(only));
        assert.deepEqual(merge({}, only), distinctDocument(only));
      }),
    );
  });

  test("the order of keys in a file does not matter", () => {
    fc.assert(
      fc.property(document, document, (base, override) => {
        const other = merge(reversed(base) as YamlMapping, reversed(override) as YamlMapping);
        assert.deepEqual(other, merge(base, override));
      }),
    );
  });

  test("three files give the same whichever two are merged first", () => {
    fc.assert(
      fc.property(document, document, document, (a, b, c) => {
        assert.deepEqual(merge(merge(a, b), c), merge(a, merge(b, c)));
      }),
    );
  });

  test("the inputs stay as they were", () => {
    fc.assert(
      fc.property(document, document, (base, override) => {
        const before = structuredClone([base, override]);
        merge(base, override);
        assert.deepEqual([base, override], before);
      }),
    );
  });
});
