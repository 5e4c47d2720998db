import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Store } from "../../../core/store.ts";
import { DAY_MS } from "../../../core/units.ts";
import { Audit } from "../../../orchestrator/ownership/audit.ts";
import { World } from "../../properties/ownership-world.ts";

const directory = mkdtempSync(join(tmpdir(), "flyball-ownership-"));
const store = new Store(directory);
after(() => {
  store[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

function at(count: number, policy: ConstructorParameters<typeof World>[1] = "adopt"): World {
  const world = new World(store, policy, count);
  world.rest();
  return world;
}

const said = (world: World) =>
  world.audit.map(({ who, from, to, sentence }) => `${who}: ${from} -> ${to}: ${sentence}`);

describe("what others do to a service", () => {
  test("is told by the way it is done", () => {
    const situations: [string, number, (world: World) => void, string][] = [
      [
        "up",
        3,
        (world) => world.composeUp(1),
        "docker compose: 3 -> 2: docker compose up removed web-2 and web-3; goes on from 2, the nearest to 1 within its bounds",
      ],
      [
        "up with a count",
        5,
        (world) => world.composeUp(3),
        "docker compose: 5 -> 3: docker compose up --scale web=3 removed web-4 and web-5; goes on from 3",
      ],
      [
        "one fewer",
        3,
        (world) => world.composeUp(2),
        "docker compose or somebody: 3 -> 2: docker compose up --scale web=2, or somebody, removed web-3; goes on from 2",
      ],
      [
        "up with more",
        3,
        (world) => world.composeUp(4),
        "docker compose: 3 -> 4: docker compose up --scale web=4 started web-4; goes on from 4",
      ],
      [
        "rm -f of the highest",
        3,
        (world) => world.remove(2),
        "somebody: 3 -> 2: somebody removed web-3; goes on from 2",
      ],
      [
        "rm -f of another",
        3,
        (world) => world.remove(0),
        "somebody: 3 -> 2: somebody removed web-1; goes on from 2",
      ],
      ["stop", 3, (world) => world.stop(1), "somebody: 3 -> 2: somebody stopped web-2; goes on from 2"],
    ];
    for (const [situation, count, act, expected] of situations) {
      const world = at(count);
      act(world);
      world.rest();
      assert.deepEqual(said(world), [expected], situation);
    }
  });

  test("is no failure of a replica that somebody stopped, until it runs again", () => {
    const world = at(4, "restore");
    const stopped = [...world.bodies.keys()][1] ?? "";
    world.stop(1);
    for (let pass = 0; pass < 6; pass += 1) {
      assert.equal(world.ownership.mayBeEndedByOthers(stopped), true);
      world.pass(0);
    }
    assert.equal(world.bodies.get(stopped)?.state, "exited");
    assert.equal(said(world).length, 1, "it is settled that it runs again");
    world.rest();
    assert.equal(world.ownership.mayBeEndedByOthers(stopped), false);
    world.crash(1);
    assert.equal(world.ownership.mayBeEndedByOthers(stopped), false);
  });

  test("is told from a crash also when the engine's word of it comes after its end", () => {
    for (const heardAtOnce of [0, 1, 2]) {
      const world = at(3);
      const stopped = [...world.bodies.keys()][1] ?? "";
      world.stopToldLate(1, heardAtOnce);
      world.pass(9);
      assert.equal(world.ownership.mayBeEndedByOthers(stopped), true);
      assert.equal(world.alive.length, 2, `it is not started again, with ${heardAtOnce} of 3 words heard`);
      assert.match(world.holds.join(), /somebody is changing it past Flyball/);
      world.rest();
      assert.deepEqual(said(world), ["somebody: 3 -> 2: somebody stopped web-2; goes on from 2"]);
    }
  });

  test("is not waited for when the engine has said that it was a crash, and not for long when it says nothing", () => {
    for (const act of ["crash", "kill"] as const) {
      const world = at(3);
      world[act](1);
      world.pass(9);
      assert.equal(world.alive.length, 3, `${act}: it is started at once`);
    }
    const world = at(3);
    world.crashUntold(1);
    world.pass(9);
    assert.equal(world.alive.length, 2);
    for (let pass = 0; pass < 2; pass += 1) world.pass(9);
    assert.equal(world.alive.length, 3);
    assert.deepEqual(said(world), []);

    world.crashUntold(0);
    world.daemonRestarts();
    world.pass(9);
    assert.equal(world.alive.length, 3, "of what ended before anybody listened nothing is said any more");
  });

  test("is left alone between the steps of a release 1 of compose that takes long to remove what it has replaced", () => {
    for (const policy of ["adopt", "restore", "hold"] as const) {
      const world = at(2, policy);
      const replaced = world.composeBeginsToRecreate(0);
      for (let pass = 0; pass < 10; pass += 1) world.pass(9);
      world.composeEndsToRecreate(replaced);
      world.rest();
      assert.deepEqual(said(world), [], policy);
      assert.equal(world.alive.length, 2);
    }
  });

  test("is one change when it is done in several steps, and nothing is planned until it is over", () => {
    const world = at(4);
    world.stop(3);
    world.pass(9);
    assert.match(world.holds.join(), /somebody is changing it past Flyball/);
    world.remove(3);
    world.pass(9);
    world.stop(2);
    world.pass(9);
    assert.deepEqual(said(world), []);
    assert.equal(world.alive.length, 2);
    world.rest();
    assert.deepEqual(said(world), [
      "somebody: 4 -> 2: somebody removed web-4 and stopped web-3; goes on from 2",
    ]);
  });

  test("gives way to what rules or a person have asked for meanwhile", () => {
    const world = at(3);
    world.composeUp(2);
    world.pass(0);
    world.scale(5);
    world.rest();
    assert.deepEqual(said(world), [
      "docker compose or somebody: 5 -> 5: docker compose up --scale web=2, or somebody, removed web-3; 5 were asked for since, which stands",
    ]);
    assert.equal(world.alive.length, 5);
  });

  test("is nothing when it comes to what was there: a restart, one for one", () => {
    const world = at(3);
    world.restart(1);
    world.kill(0);
    world.rest();
    assert.deepEqual(said(world), []);
    assert.equal(world.alive.length, 3);
  });

  test("that stops all of it is left so, and what starts one of it ends that", () => {
    const world = at(2);
    world.stop(0);
    world.stop(1);
    world.rest();
    assert.deepEqual(said(world), [
      "somebody: 2 -> 0: somebody stopped web-1 and web-2, all of it; left so until something of it is started",
    ]);
    assert.equal(world.alive.length, 0);
    world.start(0);
    world.start(1);
    world.rest();
    assert.equal(world.alive.length, 2);
    assert.deepEqual(world.holds, []);
  });

  test("is docker compose down also when it leaves what the files no longer name, and with it the network", () => {
    const world = at(3);
    world.orphan = true;
    world.composeDown();
    world.rest();
    assert.match(said(world).join(), /docker compose down took shop away/);
    assert.equal(world.alive.length, 0);
  });

  test("right after another was settled is told as well", () => {
    const world = at(5);
    world.composeUp(4);
    while (said(world).length === 0) world.pass(0);
    world.composeUp(2);
    world.rest();
    assert.equal(world.alive.length, 2);
    assert.equal(said(world).length, 2);

    const gone = at(3);
    gone.remove(1);
    while (said(gone).length === 0) gone.pass(0);
    gone.composeDown();
    gone.rest();
    assert.match(said(gone)[0] ?? "", /docker compose down took shop away/);
    assert.equal(gone.alive.length, 0);
  });

  test("is waited for also when the engine takes long over it, and nothing is put in its place meanwhile", () => {
    const world = at(3);
    world.beginRemoval(1);
    for (let pass = 0; pass < 20; pass += 1) world.pass(9);
    assert.equal(world.bodies.size, 3);
    world.remove(1);
    world.rest();
    assert.equal(world.alive.length, 2);
    assert.deepEqual(said(world), ["somebody: 3 -> 2: somebody removed web-2; goes on from 2"]);
  });

  test("is kept as it was left when the daemon starts again", () => {
    const stopped = at(3);
    stopped.stop(1);
    stopped.rest();
    const held = (world: World) => [world.alive.length, world.desired, world.holds.length];
    assert.deepEqual(held(stopped), [2, 2, 0]);
    stopped.daemonRestarts();
    stopped.rest();
    assert.deepEqual(held(stopped), [2, 2, 0]);
    assert.equal(stopped.bodies.size, 3, "the one that was stopped is there");

    const kept = at(4, "hold");
    kept.composeUp(2);
    kept.rest();
    kept.daemonRestarts();
    kept.rest();
    assert.deepEqual(held(kept), [2, 4, 1]);

    const down = at(3);
    down.composeDown();
    down.rest();
    down.daemonRestarts();
    down.rest();
    assert.deepEqual(held(down), [0, 3, 1]);
  });

  test("is nothing when a start that fails takes away again what was made for it", () => {
    const world = at(2);
    world.startsFail = true;
    world.scale(3);
    for (let pass = 0; pass < 20; pass += 1) world.pass(1);
    assert.deepEqual(said(world), []);
    assert.equal(world.desired, 3);
    world.startsFail = false;
    world.rest();
    assert.equal(world.alive.length, 3);
  });
});

describe("what others did while no daemon ran", () => {
  const situations: [string, number, (world: World) => void, string][] = [
    [
      "up",
      4,
      (world) => world.composeUp(2),
      "docker compose or somebody: 4 -> 2: docker compose up --scale web=2, or somebody, removed web-3 and web-4 while Flyball was not running; goes on from 2",
    ],
    [
      "up with more",
      2,
      (world) => world.composeUp(4),
      "docker compose or somebody: 2 -> 4: docker compose up --scale web=4, or somebody, started web-3 and web-4 while Flyball was not running; goes on from 4",
    ],
    [
      "rm -f of one in the middle",
      3,
      (world) => world.remove(1),
      "somebody: 3 -> 2: somebody removed web-2 while Flyball was not running; goes on from 2",
    ],
  ];
  for (const [situation, count, act, expected] of situations) {
    test(`is told as such, and settled: ${situation}`, () => {
      const world = at(count);
      act(world);
      world.daemonRestarts();
      world.rest();
      assert.deepEqual(said(world), [expected]);
      assert.equal(world.alive.length, world.desired);
      world.daemonRestarts();
      world.rest();
      assert.equal(said(world).length, 1, "and not found again by the next daemon");
    });
  }

  test("is put back, or left, where the policy says so", () => {
    for (const [policy, alive, desired] of [
      ["restore", 4, 4],
      ["hold", 2, 4],
    ] as const) {
      const world = at(4, policy);
      world.composeUp(2);
      world.daemonRestarts();
      world.rest();
      assert.match(said(world).join(), /removed web-3 and web-4 while Flyball was not running/);
      assert.deepEqual([world.alive.length, world.desired], [alive, desired]);
    }
  });

  test("is told from what the daemon before had half done", () => {
    for (let done = 0; done < 6; done += 1) {
      const world = at(5);
      world.scale(2);
      world.pass(done);
      world.daemonKilled();
      world.rest();
      assert.deepEqual(said(world), []);
      assert.equal(world.alive.length, 2);
    }
    const world = at(5);
    world.scale(3);
    world.pass(2);
    world.remove(0);
    world.daemonKilled();
    world.rest();
    assert.deepEqual(said(world), [
      "somebody: 3 -> 2: somebody removed web-1 while Flyball was not running; goes on from 2",
    ]);
  });

  test("and took all of it away: docker compose down, and up again", () => {
    const world = at(3);
    world.composeDown();
    world.daemonRestarts();
    world.rest();
    assert.match(said(world).join(), /down took shop away while Flyball was not running; left alone until/);
    assert.equal(world.alive.length, 0);
    world.network = true;
    world.composeUp(2);
    world.daemonRestarts();
    world.rest();
    assert.equal(world.alive.length, 2);
    assert.deepEqual(world.holds, []);
  });

  test("is not asked of processes, which may have ended with the daemon", () => {
    const world = at(3);
    world.kind = "process";
    world.remove(1);
    world.daemonRestarts();
    world.rest();
    assert.deepEqual(said(world), []);
    assert.equal(world.alive.length, 3);
  });

  test("is not asked of replicas that another engine had, nor of one that only ended", () => {
    const world = at(3);
    world.engine = "another engine";
    world.remove(1);
    world.daemonRestarts();
    world.rest();
    assert.deepEqual(said(world), []);
    assert.equal(world.alive.length, 3, "what is missing is put back");
    world.crash(1);
    world.daemonRestarts();
    world.rest();
    assert.deepEqual(said(world), []);
    assert.equal(world.alive.length, 3);
  });
});

describe("the audit", () => {
  test("keeps four weeks, the newest first, and no more lines than it may", () => {
    store.run("DELETE FROM audit");
    const audit = new Audit(store);
    const line = (atMs: number) => ({
      atMs,
      project: "shop",
      who: "api",
      what: "scale" as const,
      sentence: `at ${atMs}`,
    });
    for (let day = 0; day < 40; day += 1) audit.record(line(day * DAY_MS));
    const kept = audit.list(100, 39 * DAY_MS);
    assert.equal(kept.length, 29);
    assert.deepEqual(kept[0], line(39 * DAY_MS));
    assert.equal(audit.list(100, 60 * DAY_MS).length, 8, "what is too old by now is not told");
    assert.equal(audit.list(3, 39 * DAY_MS).length, 3);
  });
});
