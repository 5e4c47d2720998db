import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type EndpointSets, nextEndpointSets } from "../../api/discovery/endpoint-sets.ts";
import type { EndpointSet } from "../../core/wire-endpoints.ts";
import { NOW_MS, observed, replica, service } from "../api/discovery/builders.ts";

const NAMES = ["web", "db"] as const;
const STATES = ["created", "starting", "running", "unhealthy", "stopping", "exited"] as const;

/** One look: how far the clock moved, back too; which services there are; the replicas, by slot and state. */
const look = fc.record({
  stepMs: fc.integer({ min: -5_000, max: 5_000 }),
  complete: fc.boolean(),
  names: fc.subarray([...NAMES]),
  replicas: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      slot: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom(...STATES),
      isOld: fc.boolean(),
    }),
    { selector: ({ name, slot }) => `${name} ${slot}`, maxLength: 8 },
  ),
});

type Look = typeof look extends fc.Arbitrary<infer T> ? T : never;

/** Every look with what was known after it. */
function* follow(looks: readonly Look[]) {
  let atMs = NOW_MS;
  let before: EndpointSets | undefined;
  for (const { stepMs, complete, names, replicas } of looks) {
    atMs += stepMs;
    const seen = replicas.map(({ name, slot, state, isOld }) =>
      replica(name, slot, state, { startedAtMs: isOld ? NOW_MS - 60_000 : NOW_MS + 60_000 }),
    );
    const after = nextEndpointSets(
      before,
      names.map((name) => service(name)),
      observed(seen, { atMs, complete }),
    );
    yield { before, after, seen, complete, names };
    before = after;
  }
}

const looks = fc.array(look, { maxLength: 20 });

describe("whatever is seen of the engine, in whatever order, by whatever clock", () => {
  test("a version grows with each change, and stays without one", () => {
    fc.assert(
      fc.property(looks, (looks) => {
        for (const { before, after } of follow(looks)) {
          if (before === undefined) continue;
          assert.ok(after === before || after.version > before.version);
          for (const [id, set] of after.sets) {
            const known = before.sets.get(id);
            if (known === undefined) assert.ok(set.version > before.version);
            else if (contentOf(known) === contentOf(set)) assert.equal(set.version, known.version);
            else assert.ok(set.version > before.version);
            assert.ok(set.version <= after.version);
          }
        }
      }),
    );
  });

  test("each service is known or unsettled, and what a whole look has seen ready is what is known", () => {
    fc.assert(
      fc.property(looks, (looks) => {
        for (const { after, seen, complete, names } of follow(looks)) {
          assert.deepEqual(
            [...after.sets.keys(), ...after.unsettled].sort(),
            names.map((name) => `shop_${name}`).sort(),
          );
          for (const [id, { endpoints }] of after.sets) {
            const ready = seen.filter(({ service, state }) => service === id && state === "running");
            const known = endpoints.map(({ replica }) => replica);
            for (const { id: replica } of ready) assert.ok(known.includes(replica));
            if (complete) assert.equal(known.length, ready.length);
          }
        }
      }),
    );
  });

  test("nobody who was not seen leaves by a look that was not whole, and nobody is there twice", () => {
    fc.assert(
      fc.property(looks, (looks) => {
        for (const { before, after, seen, complete } of follow(looks)) {
          const ids = new Set(seen.map(({ id }) => id));
          for (const [id, { endpoints }] of after.sets) {
            const known = endpoints.map(({ replica }) => replica);
            assert.equal(new Set(known).size, known.length);
            if (complete) continue;
            for (const { replica } of before?.sets.get(id)?.endpoints ?? []) {
              if (!ids.has(replica)) assert.ok(known.includes(replica));
            }
          }
        }
      }),
    );
  });
});

function contentOf({ version: _version, ...content }: EndpointSet): string {
  return JSON.stringify(content);
}
