import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { isFlyballError } from "../../core/errors.ts";
import { Store } from "../../core/store.ts";
import { sharesOf } from "../../orchestrator/rollout/on-trial.ts";
import { coloursOf, type TrialRequest } from "../../orchestrator/rollout/trial.ts";
import { type Fate, World } from "./rollout-world.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-trials-"));
const store = new Store(directory);
after(() => {
  store[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const FATES: readonly Fate[] = ["good", "good", "exits", "dies", "ails", "hangs"];
const ENOUGH = 1_000;

const anyRatio = fc.constantFrom(0.01, 0.05, 0.2, 0.34, 0.5, 0.8, 0.99);
const anyTrial: fc.Arbitrary<TrialRequest> = fc.oneof(
  fc.record({ kind: fc.constant("canary" as const), weightRatio: anyRatio }),
  fc.record({ kind: fc.constant("blue-green" as const) }),
);

const anyEvent = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("scale" as const), to: fc.integer({ min: 0, max: 7 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("try" as const),
      fate: fc.constantFrom(...FATES),
      trial: anyTrial,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("deploy" as const), fate: fc.constantFrom(...FATES) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("weigh" as const), to: anyRatio }) },
  { weight: 1, arbitrary: fc.constant({ kind: "promote" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "abort" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "rollback" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant("pass" as const), endings: fc.integer({ min: 0, max: 8 }) }),
  },
);

const anyStory = fc.record({
  wanted: fc.integer({ min: 1, max: 6 }),
  parallelism: fc.integer({ min: 0, max: 3 }),
  events: fc.array(anyEvent, { maxLength: 50 }),
});

type Story = typeof anyStory extends fc.Arbitrary<infer T> ? T : never;
type Watch = (world: World) => void;

function play(story: Story, watch: Watch = () => undefined): World {
  const world = new World(store, story.wanted, { parallelism: story.parallelism });
  for (const [index, event] of story.events.entries()) {
    if (event.kind === "scale") world.wanted = event.to;
    if (event.kind === "crash") world.crash();
    if (event.kind === "pass") world.tick(event.endings);
    if (event.kind === "rollback") world.rollback();
    if (event.kind === "promote") world.promote();
    if (event.kind === "weigh") world.promote(event.to);
    if (event.kind === "abort") world.abort();
    if (event.kind === "deploy") world.deploy(`v${index + 1}`, event.fate);
    if (event.kind === "try") tryOut(world, `v${index + 1}`, event.fate, event.trial);
    watch(world);
  }
  return world;
}

/** False when it is refused, and nothing has changed. */
function tryOut(world: World, hash: string, fate: Fate, trial: TrialRequest): boolean {
  const before = world.rollout;
  try {
    world.deploy(hash, fate, trial);
    return true;
  } catch (error) {
    assert.ok(isFlyballError(error) && error.code === "TRIAL_REFUSED", String(error));
    assert.equal(world.rollout, before);
    return false;
  }
}

function settle(world: World, watch: Watch = () => undefined): void {
  let quiet = 0;
  for (let pass = 0; pass < 400; pass += 1) {
    const actions = world.tick(ENOUGH);
    watch(world);
    quiet = actions.length === 0 && !world.isBusy ? quiet + 1 : 0;
    if (quiet > 30) return;
  }
  assert.fail(`it does not come to rest: ${world.hashes.join(", ")}; ${JSON.stringify(world.rollout)}`);
}

/** A trial that nobody has ended by then is on its weight, with both templates. */
function assertColours(world: World): void {
  const { trial, to, from } = world.rollout;
  if (trial === undefined) return;
  const count = (hash: string | undefined) => world.hashes.filter((one) => one === hash).length;
  const targets = coloursOf(trial, world.wanted);
  assert.deepEqual({ fresh: count(to.hash), old: count(from?.hash) }, targets, JSON.stringify(trial));
}

describe("trials, interleaved at random with scalings, deployments and crashes of the daemon", () => {
  test("come to rest with the replicas of both templates that their weight asks for", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = play(story);
        settle(world);
        if (world.rollout.trial === undefined) assert.equal(world.bodies.size, world.wanted);
        else assertColours(world);
        if (world.wanted > 0) assert.ok(world.serving >= world.wanted, JSON.stringify(world.rollout));
      }),
      { numRuns: 600 },
    );
  });

  test("end, promoted or aborted, with one template and the count that was asked for last", () => {
    fc.assert(
      fc.property(anyStory, fc.boolean(), fc.boolean(), (story, isPromoted, waits) => {
        const world = play(story);
        if (waits) settle(world);
        const { trial, to, from } = world.rollout;
        if (isPromoted) world.promote();
        else world.abort();
        settle(world);
        assert.equal(world.rollout.trial, undefined);
        assert.equal(world.bodies.size, world.wanted);
        if (world.wanted === 0) return;
        assert.equal(world.serving, world.wanted, JSON.stringify(world.rollout));
        assert.equal(new Set(world.hashes).size, 1, world.hashes.join(", "));
        if (trial === undefined) return;
        const isNew = isPromoted && world.fateOf(to.hash) === "good";
        assert.equal(world.hashes[0], isNew ? to.hash : from?.hash);
      }),
      { numRuns: 600 },
    );
  });

  test("never have fewer ready than asked for", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        let least = story.wanted;
        const watch = (world: World) => {
          least = Math.min(least, world.wanted);
          assert.ok(
            world.serving >= least,
            `${world.serving} of ${least} serve; ${JSON.stringify(world.rollout)}`,
          );
        };
        settle(play(story, watch), watch);
      }),
      { numRuns: 600 },
    );
  });

  test("keep as many ready while the weight and the count go up and down", () => {
    const anyChange = fc.record({ to: anyRatio, wanted: fc.integer({ min: 1, max: 7 }), passes: fc.nat(8) });
    fc.assert(
      fc.property(anyTrial, fc.array(anyChange, { minLength: 1, maxLength: 6 }), (trial, changes) => {
        const world = new World(store, 6, { parallelism: 2 });
        assert.ok(tryOut(world, "v1", "good", trial));
        settle(world);
        for (const { to, wanted, passes } of changes) {
          world.promote(to);
          const least = Math.min(wanted, world.wanted);
          world.wanted = wanted;
          const watch = () => assert.ok(world.serving >= least, `${world.serving} of ${least} serve`);
          for (let pass = 0; pass < passes; pass += 1) {
            world.tick(ENOUGH);
            watch();
          }
          settle(world, watch);
          assertColours(world);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("never make more than a batch of a template that has yet to prove healthy", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const batch = story.parallelism === 0 ? Number.POSITIVE_INFINITY : story.parallelism;
        const watch = (world: World) => assert.ok(world.unproven <= batch, world.hashes.join(", "));
        settle(play(story, watch), watch);
      }),
      { numRuns: 300 },
    );
  });

  test("never work on one slot twice at once, and leave nothing to do after a restart", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = play(story);
        assert.deepEqual(world.clashes, []);
        settle(world);
        world.crash();
        assert.deepEqual(world.plan().actions, []);
      }),
      { numRuns: 200 },
    );
  });

  test("give all requests away, to templates that have anything to do with it", () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const watch = ({ rollout }: World) => {
          const shares = sharesOf(rollout);
          if (shares === undefined) return;
          const total = [...shares.values()].reduce((sum, share) => sum + share, 0);
          assert.ok(Math.abs(total - 1) < 1e-9);
          assert.deepEqual([...shares.keys()], [rollout.to.hash, rollout.from?.hash]);
        };
        settle(play(story, watch), watch);
      }),
      { numRuns: 100 },
    );
  });
});
