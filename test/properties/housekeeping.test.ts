import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { MINUTE_MS } from "../../core/units.ts";
import { type Found, keyOf } from "../../orchestrator/housekeeping/found.ts";
import { judge, type Known, YOUNGEST_MS } from "../../orchestrator/housekeeping/judge.ts";

const NOW_MS = 1_800_000_000_000;

const name = fc.constantFrom("me", "other", "shop", "gone");
const ageMs = fc.integer({ min: -MINUTE_MS, max: 60 * MINUTE_MS });

const found: fc.Arbitrary<Found> = fc.record(
  {
    kind: fc.constantFrom("replica", "volume", "image", "log", "record"),
    id: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    name: fc.constant("a thing"),
    bytes: fc.nat(),
    createdAtMs: ageMs.map((age) => NOW_MS - age),
    inUse: fc.boolean(),
    isNamed: fc.boolean(),
    owner: name,
    project: name,
    service: fc.constant("shop_web"),
    unstarted: fc.boolean(),
    repositories: fc.subarray(["shop/web", "shop/api"]),
  },
  { requiredKeys: ["kind", "id", "name", "inUse", "isNamed"] },
);

const known: fc.Arbitrary<Known> = fc.record({
  nowMs: fc.constant(NOW_MS),
  instanceId: fc.constant("me"),
  projects: fc.subarray(["shop"]).map((names) => new Set(names)),
  references: fc.subarray(["shop/web:1", "shop/web@sha256:00", "shop/api:2@sha256:11"]),
  uses: fc
    .array(fc.tuple(fc.constantFrom("volume a", "volume b", "image a", "image c"), ageMs))
    .map((all) => new Map(all.map(([key, age]) => [key, { service: "shop_web", seenAtMs: NOW_MS - age }]))),
});

const things = fc.uniqueArray(found, { selector: keyOf, maxLength: 12 });

describe("housekeeping never removes", () => {
  test("what is foreign, in use, named, or younger than ten minutes", () => {
    fc.assert(
      fc.property(things, known, (all, what) => {
        for (const { key } of judge(all, what).items) {
          const one = all.find((candidate) => keyOf(candidate) === key);
          assert.ok(one !== undefined, "it was never found");
          const use = what.uses.get(key);
          const isOurs = one.kind === "replica" ? one.owner === "me" : use !== undefined;
          const isFile = one.kind === "log" || one.kind === "record";
          assert.ok(isOurs || isFile, "foreign");
          if (one.kind !== "replica" && !isFile) assert.ok(!one.inUse && !one.isNamed, "in use or named");
          const sinceMs = one.kind === "image" ? use?.seenAtMs : (one.createdAtMs ?? use?.seenAtMs);
          assert.ok(sinceMs !== undefined && NOW_MS - sinceMs >= YOUNGEST_MS, "young");
          if (use !== undefined && (one.kind === "volume" || one.kind === "image"))
            assert.ok(NOW_MS - use.seenAtMs >= YOUNGEST_MS, "used a moment ago");
        }
      }),
    );
  });

  test("a started replica of a project that is managed", () => {
    fc.assert(
      fc.property(things, known, (all, what) => {
        const keys = new Set(judge(all, what).items.map(({ key }) => key));
        for (const one of all) {
          const isManaged = one.project !== undefined && what.projects.has(one.project);
          if (one.kind === "replica" && isManaged && one.unstarted !== true) assert.ok(!keys.has(keyOf(one)));
        }
      }),
    );
  });

  test("anything else for the order in which things were found", () => {
    fc.assert(
      fc.property(things, known, (all, what) => {
        assert.deepEqual(judge(all.toReversed(), what).items, judge(all, what).items);
      }),
    );
  });
});
