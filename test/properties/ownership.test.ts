import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { Store } from "../../core/store.ts";
import { LEAST, MOST, World } from "./ownership-world.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-ownership-"));
const store = new Store(directory);
after(() => {
  store[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

interface Step {
  readonly what: string;
  readonly do: (world: World) => void;
}

const withinBounds = fc.integer({ min: LEAST, max: MOST });
const anyIndex = fc.integer({ min: 0, max: 6 });

const step = <T>(what: string, values: fc.Arbitrary<T>, act: (world: World, value: T) => void) =>
  values.map((value): Step => ({ what: `${what} ${value}`, do: (world) => act(world, value) }));

const pass = step("pass", fc.integer({ min: 0, max: 6 }), (world, endings) => world.pass(endings));
const scale = step("scale", withinBounds, (world, to) => world.scale(to));
const rest = fc.constant<Step>({ what: "rest", do: (world) => world.rest() });

const own: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: pass },
  { weight: 2, arbitrary: scale },
  {
    weight: 1,
    arbitrary: step("crash", anyIndex, (world, index) => world.crash(index)),
  },
  {
    weight: 1,
    arbitrary: step("crash, untold", anyIndex, (world, index) => world.crashUntold(index)),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>({ what: "engine restarts", do: (world) => world.engineRestarts() }),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Step>({ what: "daemon killed", do: (world) => world.daemonKilled() }),
  },
  {
    weight: 1,
    arbitrary: step("starts fail", fc.boolean(), (world, fail) => {
      world.startsFail = fail;
    }),
  },
);

const external: fc.Arbitrary<Step> = fc.oneof(
  step("compose up --scale", fc.integer({ min: 1, max: 7 }), (world, count) => world.composeUp(count)),
  step("docker rm -f", anyIndex, (world, index) => world.remove(index)),
  step("docker stop", anyIndex, (world, index) => world.stop(index)),
  step(
    "docker stop, told late",
    fc.tuple(anyIndex, fc.integer({ min: 0, max: 2 })),
    (world, [index, heard]) => world.stopToldLate(index, heard),
  ),
  step("docker start", anyIndex, (world, index) => world.start(index)),
  step("docker restart", anyIndex, (world, index) => world.restart(index)),
  step("docker kill", anyIndex, (world, index) => world.kill(index)),
);

const steps = (arbitrary: fc.Arbitrary<Step>) => fc.array(arbitrary, { maxLength: 25 });
const mixed = steps(
  fc.oneof({ weight: 4, arbitrary: own }, { weight: 2, arbitrary: external }, { weight: 1, arbitrary: rest }),
);
const anyPolicy = fc.constantFrom("adopt" as const, "restore" as const, "hold" as const);

function play(policy: Parameters<typeof run>[0], count: number, all: readonly Step[]): World {
  const world = run(policy, count);
  for (const one of all) one.do(world);
  return world;
}

function run(policy: "adopt" | "restore" | "hold", count: number): World {
  const world = new World(store, policy, count);
  world.rest();
  return world;
}

/** Whatever hindered starts is over, and all that was begun comes to its end. */
function recovers(world: World): void {
  world.startsFail = false;
  world.rest();
}

const shown = (world: World) => world.audit.map(({ sentence }) => sentence).join("\n");
/** All of it was stopped by somebody, and waits for somebody to start it. */
const isLeft = (world: World) => world.holds.some((hold) => hold.includes("left so until"));

describe("who owns the count", () => {
  test("what we do ourselves, a crash and an engine that restarts are never taken for somebody's wish", () => {
    fc.assert(
      fc.property(anyPolicy, withinBounds, steps(own), (policy, count, all) => {
        const world = play(policy, count, all);
        recovers(world);
        assert.equal(shown(world), "");
        assert.equal(world.alive.length, world.desired);
        assert.equal(world.bodies.size, world.desired);
      }),
      { numRuns: 150 },
    );
  });

  test("adopted is only what is within the bounds, and what runs is then what is asked for", () => {
    fc.assert(
      fc.property(withinBounds, mixed, (count, all) => {
        const world = play("adopt", count, all);
        recovers(world);
        assert.ok(world.desired >= LEAST && world.desired <= MOST, `${world.desired}\n${shown(world)}`);
        if (!isLeft(world)) assert.equal(world.alive.length, world.desired, shown(world));
        const settled = world.audit.length;
        world.rest();
        assert.equal(world.audit.length, settled, "what was settled is not found again");
      }),
      { numRuns: 150 },
    );
  });

  test("restored is what rules or a person have asked for last, whatever was done", () => {
    fc.assert(
      fc.property(withinBounds, mixed, withinBounds, (count, all, last) => {
        const world = play("restore", count, all);
        world.scale(last);
        recovers(world);
        assert.equal(world.desired, last, shown(world));
        assert.equal(world.alive.length, last, shown(world));
      }),
      { numRuns: 150 },
    );
  });

  test("held is what was found, until the next scale", () => {
    fc.assert(
      fc.property(withinBounds, mixed, withinBounds, (count, all, last) => {
        const world = play("hold", count, all);
        recovers(world);
        const [running, asked] = [world.alive.length, world.desired];
        world.rest();
        assert.deepEqual([world.alive.length, world.desired], [running, asked], "it stays as it is");
        if (running !== asked) assert.notDeepEqual(world.holds, [], "and says why");
        world.scale(last, "hand");
        world.rest();
        if (!isLeft(world)) assert.equal(world.alive.length, last, shown(world));
      }),
      { numRuns: 150 },
    );
  });

  test("docker compose down ends the managing, and docker compose up takes it up again", () => {
    fc.assert(
      fc.property(anyPolicy, withinBounds, fc.integer({ min: 1, max: 7 }), (policy, count, back) => {
        const world = run(policy, count);
        world.composeDown();
        world.rest();
        assert.equal(world.bodies.size, 0, "nothing is put back");
        assert.match(shown(world), /docker compose down took shop away/);
        world.network = true;
        world.composeUp(back);
        world.rest();
        const settled = Math.min(Math.max(back, LEAST), MOST);
        const expected = { adopt: settled, restore: count, hold: back }[policy];
        assert.equal(world.alive.length, expected, shown(world));
      }),
      { numRuns: 50 },
    );
  });
});
