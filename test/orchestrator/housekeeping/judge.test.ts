import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MINUTE_MS } from "../../../core/units.ts";
import { type Found, keyOf } from "../../../orchestrator/housekeeping/found.ts";
import { judge, type Known } from "../../../orchestrator/housekeeping/judge.ts";
import { NOW_MS } from "../builders.ts";

const LONG_AGO_MS = NOW_MS - 60 * MINUTE_MS;

function found(kind: Found["kind"], id: string, parts: Partial<Found> = {}): Found {
  return { kind, id, name: id, createdAtMs: LONG_AGO_MS, inUse: false, isNamed: false, ...parts };
}

const ours = { owner: "me", project: "shop", service: "shop_web" };

function swept(
  things: readonly Found[],
  known: Partial<Known> = {},
): { remove: string[]; kept: readonly string[] } {
  const used = new Map(
    things
      .filter(({ id }) => id.startsWith("known"))
      .map((one) => [keyOf(one), { service: "shop_web", seenAtMs: LONG_AGO_MS }]),
  );
  const { items, kept } = judge(things, {
    nowMs: NOW_MS,
    instanceId: "me",
    projects: new Set(["shop"]),
    references: ["shop/web:1.4"],
    uses: used,
    ...known,
  });
  return { remove: items.map(({ key, why }) => `${key}: ${why}`), kept };
}

describe("what housekeeping removes", () => {
  test("replicas of projects that are not known any more, and those that were made and never started", () => {
    assert.deepEqual(
      swept([
        found("replica", "runs", { ...ours, inUse: true }),
        found("replica", "half", { ...ours, unstarted: true }),
        found("replica", "orphan", { ...ours, project: "gone", service: "gone_web" }),
        found("replica", "orphan-runs", { ...ours, project: "gone", service: "gone_web", inUse: true }),
      ]),
      {
        remove: [
          "replica half: it was made and never started",
          "replica orphan: project gone is not known any more",
          "replica orphan-runs: it runs, and project gone is not known any more",
        ],
        kept: [],
      },
    );
  });

  test("never a replica without our mark, nor one that another Flyball made", () => {
    assert.deepEqual(
      swept([
        found("replica", "compose-made", { project: "gone" }),
        found("replica", "another", { ...ours, owner: "other", project: "theirs" }),
      ]),
      {
        remove: [],
        kept: [
          "1 replicas made by a Flyball with another data directory: remove them with that one, or by hand",
        ],
      },
    );
  });

  test("anonymous volumes of managed services that no container has; those of nobody known stay", () => {
    assert.deepEqual(
      swept([
        found("volume", "known-left"),
        found("volume", "known-used", { inUse: true }),
        found("volume", "known-labelled", { isNamed: true }),
        found("volume", "foreign-1"),
        found("volume", "foreign-2"),
      ]),
      {
        remove: ["volume known-left: an anonymous volume that shop_web left behind"],
        kept: [
          "2 unused anonymous volumes of nobody that Flyball knows (docker volume ls -f dangling=true)",
          "1 unused volumes that somebody has named or labelled",
        ],
      },
    );
  });

  test("images that services have had, when they have no tag, no container, and no service names them by digest", () => {
    const things = [
      found("image", "known-old", { repositories: ["shop/web"] }),
      found("image", "known-tagged", { isNamed: true }),
      found("image", "known-used", { inUse: true }),
      found("image", "foreign"),
    ];
    assert.deepEqual(swept(things), {
      remove: ["image known-old: its tag has moved on, and shop_web uses it no more"],
      kept: ["1 unused images that somebody has tagged"],
    });
    assert.deepEqual(swept(things, { references: ["shop/web:1.4@sha256:00"] }).remove, []);
  });

  test("logs and records of replicas that are no more", () => {
    assert.deepEqual(swept([found("log", "a.log"), found("record", "b.json.unreadable")]).remove, [
      "log a.log: the log of a replica that is no more",
      "record b.json.unreadable: a replica's record that could not be understood and was set aside",
    ]);
  });

  test("nothing that is younger than ten minutes, or of which nobody knows how old it is", () => {
    for (const createdAtMs of [NOW_MS - 9 * MINUTE_MS, undefined]) {
      const young = createdAtMs === undefined ? {} : { createdAtMs };
      const things = (
        [
          ["replica", "half", { ...ours, unstarted: true }],
          ["replica", "orphan", { ...ours, project: "gone" }],
          ["log", "a.log", {}],
          ["record", "b.json.unreadable", {}],
        ] as const
      ).map(
        ([kind, id, parts]): Found => ({
          kind,
          id,
          name: id,
          inUse: false,
          isNamed: false,
          ...parts,
          ...young,
        }),
      );
      assert.deepEqual(swept(things).remove, []);
    }
    const seen = new Map(
      ["volume v", "image i"].map((key) => [key, { service: "shop_web", seenAtMs: NOW_MS - 9 * MINUTE_MS }]),
    );
    assert.deepEqual(swept([found("volume", "v"), found("image", "i")], { uses: seen }), {
      remove: [],
      kept: ["1 unused images younger than 10m", "1 unused volumes younger than 10m"],
    });
  });
});
