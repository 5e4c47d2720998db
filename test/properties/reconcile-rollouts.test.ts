import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { Store } from "../../core/store.ts";
import type { UpdateRequest } from "../../core/types.ts";
import { type Fate, World } from "./rollout-world.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-rollouts-"));
const store = new Store(directory);
after(() => {
  store[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

type Event =
  | { readonly kind: "scale"; readonly to: number }
  | { readonly kind: "deploy"; readonly fate: Fate }
  | { readonly kind: "crash" }
  | { readonly kind: "rollback" }
  | { readonly kind: "pass"; readonly endings: number };

const FATES: readonly Fate[] = ["good", "exits", "dies", "ails", "hangs"];
const ENOUGH = 1_000;

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("scale" as const), to: fc.integer({ min: 0, max: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("deploy" as const), fate: fc.constantFrom(...FATES) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "rollback" as const }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), endings: fc.integer({ min: 0, max: 8 }) }),
  },
);

const anyStory = fc.record({
  wanted: fc.integer({ min: 1, max: 5 }),
  order: fc.constantFrom("start-first" as const, "stop-first" as const),
  parallelism: fc.integer({ min: 0, max: 3 }),
  events: fc.array(anyEvent, { maxLength: 40 }),
});

type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;

interface Told {
  readonly world: World;
  /** What was deployed last, and by nobody taken back. */
  readonly newest: string | undefined;
}

/** Plays the events; `watch` looks at the world after each. */
function play(story: Story, watch: (world: World) => void = () => undefined): Told {
  const update: UpdateRequest = { order: story.order, parallelism: story.parallelism };
  const world = new World(store, story.wanted, update);
  let newest: string | undefined = "v0";
  for (const [index, event] of story.events.entries()) {
    if (event.kind === "scale") world.wanted = event.to;
    if (event.kind === "crash") world.crash();
    if (event.kind === "pass") world.tick(event.endings);
    if (event.kind === "rollback" && world.rollback()) newest = undefined;
    if (event.kind === "deploy") {
      newest = `v${index + 1}`;
      world.deploy(newest, event.fate);
    }
    watch(world);
  }
  return { world, newest };
}

/** Passes with nothing from outside until nothing is to be done any more. */
function settle(world: World, watch: (world: World) => void = () => undefined): void {
  let quiet = 0;
  for (let pass = 0; pass < 400; pass += 1) {
    const actions = world.tick(ENOUGH);
    watch(world);
    quiet = actions.length === 0 && !world.isBusy ? quiet + 1 : 0;
    if (quiet > 30) return;
  }
  assert.fail(`it does not come to rest: ${world.hashes.join(", ")}; ${JSON.stringify(world.rollout)}`);
}

describe("rollouts and scalings, interleaved at random, with crashes of the daemon", () => {
  test("end with the newest healthy template and the count that was asked for last", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const { world, newest } = play(story);
        settle(world);
        assert.equal(world.bodies.size, world.wanted);
        const isTried = world.wanted > 0;
        if (!isTried) return;
        assert.equal(world.serving, world.wanted, JSON.stringify(world.rollout));
        assert.equal(new Set(world.hashes).size, 1, world.hashes.join(", "));
        if (newest !== undefined && world.fateOf(newest) === "good") assert.equal(world.hashes[0], newest);
      }),
      { numRuns: 1_000 },
    );
  });

  test("leave nothing to do when they are done, and the same again after a restart", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const { world } = play(story);
        settle(world);
        assert.deepEqual(world.plan().actions, []);
        world.crash();
        assert.deepEqual(world.plan().actions, []);
      }),
      { numRuns: 100 },
    );
  });

  test("never have fewer ready than asked for, start-first; nor by more than a batch, stop-first", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        let least = story.wanted;
        const batch = story.parallelism === 0 ? Number.POSITIVE_INFINITY : story.parallelism;
        const mayLack = story.order === "start-first" ? 0 : batch;
        const watch = (world: World) => {
          least = Math.min(least, world.wanted);
          const { serving } = world;
          assert.ok(
            serving >= least - mayLack,
            `${serving} of ${least} serve; ${JSON.stringify(world.rollout)}`,
          );
        };
        const { world } = play(story, watch);
        settle(world, watch);
      }),
      { numRuns: 1_000 },
    );
  });

  test("never have more replicas than were asked for at most and one batch", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        let most = story.wanted;
        const batch = story.parallelism === 0 ? Number.POSITIVE_INFINITY : story.parallelism;
        const watch = (world: World) => {
          most = Math.max(most, world.wanted);
          assert.ok(world.bodies.size <= most + (story.order === "start-first" ? batch : 0));
        };
        settle(play(story, watch).world, watch);
      }),
      { numRuns: 100 },
    );
  });

  test("never make more than a batch of a template that has yet to prove healthy, however much is scaled", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const batch = story.parallelism === 0 ? Number.POSITIVE_INFINITY : story.parallelism;
        const watch = (world: World) => assert.ok(world.unproven <= batch, world.hashes.join(", "));
        settle(play(story, watch).world, watch);
      }),
      { numRuns: 300 },
    );
  });

  test("never try a template again that failed, nor begin a rollout that nobody has asked for", () => {
    const bad = fc.constantFrom<Fate>("exits", "dies", "ails", "hangs");
    const unasked = anyEvent.filter(({ kind }) => kind !== "deploy" && kind !== "rollback");
    const failing = fc.record({
      story: anyStory,
      fate: bad,
      events: fc.array(unasked, { minLength: 5, maxLength: 40 }),
    });
    fc.assert(
      fc.property(failing, ({ story, fate, events }) => {
        const seen = new Set<string>();
        let left: ReadonlySet<string> | undefined;
        const watch = (world: World) => {
          const { rollout } = world;
          seen.add(`${rollout.kind} to ${rollout.to.hash}`);
          const bodies = new Set(
            [...world.bodies.values()].filter(({ hash }) => hash === "bad").map(({ id }) => id),
          );
          if (left !== undefined) assert.deepEqual([...bodies.difference(left)], [], "made again");
          if (rollout.kind === "rollback" && !world.isBusy) left = bodies;
        };
        const { world } = play({ ...story, events: [] });
        world.deploy("bad", fate);
        for (const event of events) {
          if (event.kind === "scale") world.wanted = event.to;
          if (event.kind === "crash") world.crash();
          if (event.kind === "pass") world.tick(event.endings);
          watch(world);
        }
        settle(world, watch);
        assert.deepEqual([...seen].slice(0, 2), ["update to bad", "rollback to v0"].slice(0, seen.size));
        assert.ok(seen.size <= 2, [...seen].join(", "));
      }),
      { numRuns: 200 },
    );
  });

  test("never work on one slot twice at once", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        assert.deepEqual(play(story).world.clashes, []);
      }),
      { numRuns: 200 },
    );
  });
});
