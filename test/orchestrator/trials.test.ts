import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { Store } from "../../core/store.ts";
import { sharesOf } from "../../orchestrator/rollout/on-trial.ts";
import type { TrialRequest } from "../../orchestrator/rollout/trial.ts";
import { World } from "../properties/rollout-world.ts";

const CANARY: TrialRequest = { kind: "canary", weightRatio: 0.2 };
const STEPS: TrialRequest = { kind: "canary", stepRatios: [0.05, 0.2, 0.5], stepMs: 10_000 };

function open(t: TestContext, wanted: number): World {
  const directory = mkdtempSync(join(tmpdir(), "flyball-trials-"));
  const store = new Store(directory);
  t.after(() => {
    store[Symbol.dispose]();
    rmSync(directory, { recursive: true });
  });
  return new World(store, wanted, {});
}

/** A balancer that leads 200 requests a second to replicas as the rollout's shares say, and counts. */
class Balancer {
  readonly #world: World;
  readonly #failing: Readonly<Record<string, number>>;
  readonly #totals = new Map<string, { requests: number; errors: number }>();
  requests = 0;
  errors = 0;

  /** @param failing share of the requests that replicas of that template fail */
  constructor(world: World, failing: Readonly<Record<string, number>> = {}) {
    this.#world = world;
    this.#failing = failing;
    world.trafficOf = (replica) => {
      const counted = this.#totals.get(replica);
      return (
        counted && {
          service: "shop_web",
          replica,
          readAtMs: world.nowMs,
          open: 0,
          queued: 0,
          latencyMs: 20,
          requestsTotal: counted.requests,
          errorsTotal: Math.floor(counted.errors),
        }
      );
    };
  }

  tick(): void {
    const running = [...this.#world.bodies.values()].filter(({ state }) => state === "running");
    const shares = sharesOf(this.#world.rollout);
    const weightOf = ({ hash }: { hash: string }) => {
      const alike = running.filter((one) => one.hash === hash).length;
      return shares === undefined ? 1 : (shares.get(hash) ?? 0) / alike;
    };
    const total = running.reduce((sum, body) => sum + weightOf(body), 0);
    for (const body of running) {
      const counted = this.#totals.get(body.id) ?? { requests: 0, errors: 0 };
      const requests = total === 0 ? 0 : Math.round((200 * weightOf(body)) / total);
      const errors = requests * (this.#failing[body.hash] ?? 0);
      this.#totals.set(body.id, { requests: counted.requests + requests, errors: counted.errors + errors });
      this.requests += requests;
      this.errors += errors;
    }
    this.#world.tick(1_000);
  }

  run(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) this.tick();
  }
}

const countOf = (world: World, hash: string) => world.hashes.filter((one) => one === hash).length;

describe("a trial", () => {
  test("that fails nearly a third of its requests is aborted by itself, before three in a hundred of all have failed", (t) => {
    for (const request of [
      { kind: "blue-green", stepRatios: [0.05, 0.2, 0.5], stepMs: 10_000 },
      { kind: "canary", weightRatio: 0.2 },
    ] as const) {
      const world = open(t, 4);
      world.deploy("v1", "good", request);
      const balancer = new Balancer(world, { v1: 0.3 });
      balancer.run(60);
      assert.equal(world.rollout.kind, "rollback");
      assert.match(world.rollout.reason ?? "", /of its requests failed, and 0 of \d+ of the others$/);
      assert.deepEqual([countOf(world, "v0"), world.bodies.size], [4, 4]);
      assert.ok(balancer.errors / balancer.requests <= 0.03, `${balancer.errors} of ${balancer.requests}`);
    }
  });

  test("that is no worse goes through its steps to its end by itself", (t) => {
    const world = open(t, 5);
    world.deploy("v1", "good", STEPS);
    const weights = new Set<number | undefined>();
    const balancer = new Balancer(world, { v0: 0.01, v1: 0.01 });
    for (let second = 0; second < 150; second += 1) {
      balancer.tick();
      weights.add(world.rollout.trial?.weightRatio);
    }
    assert.deepEqual([...weights], [0.05, 0.2, 0.5, undefined]);
    assert.deepEqual([world.rollout.state, countOf(world, "v1"), world.bodies.size], ["done", 5, 5]);
  });

  test("of which nothing is read never goes on, nor runs out of time", (t) => {
    const world = open(t, 5);
    world.deploy("v1", "good", STEPS);
    for (let second = 0; second < 300; second += 1) world.tick(1_000);
    assert.equal(world.rollout.trial?.weightRatio, 0.05);
    assert.deepEqual([countOf(world, "v0"), countOf(world, "v1")], [4, 1]);
  });

  test("stays what it is when the daemon is killed, and begins its step anew", (t) => {
    const world = open(t, 5);
    world.deploy("v1", "good", STEPS);
    const balancer = new Balancer(world);
    balancer.run(14);
    assert.equal(world.rollout.trial?.weightRatio, 0.05);
    world.crash();
    balancer.run(8);
    assert.equal(world.rollout.trial?.weightRatio, 0.05);
    balancer.run(60);
    assert.notEqual(world.rollout.trial?.weightRatio, 0.05);
  });

  test("is scaled with both its templates", (t) => {
    const world = open(t, 5);
    world.deploy("v1", "good", CANARY);
    const balancer = new Balancer(world);
    balancer.run(10);
    world.wanted = 10;
    balancer.run(10);
    assert.deepEqual([countOf(world, "v0"), countOf(world, "v1")], [8, 2]);
    world.wanted = 2;
    balancer.run(10);
    assert.deepEqual([countOf(world, "v0"), countOf(world, "v1")], [1, 1]);
  });

  test("is ended by a definition that is applied without one, and goes on when its own is applied again", (t) => {
    const world = open(t, 3);
    world.deploy("v1", "good", CANARY);
    const balancer = new Balancer(world);
    balancer.run(10);
    world.deploy("v1", "good");
    assert.equal(world.rollout.trial?.weightRatio, 0.2);
    world.deploy("v2", "good");
    assert.equal(world.rollout.trial, undefined);
    balancer.run(60);
    assert.deepEqual([countOf(world, "v2"), world.bodies.size], [3, 3]);
  });

  test("is aborted by a rollback, and what is given up gets no further request", (t) => {
    const world = open(t, 3);
    world.deploy("v1", "good", { kind: "blue-green" });
    const balancer = new Balancer(world);
    balancer.run(15);
    assert.deepEqual([countOf(world, "v0"), countOf(world, "v1")], [3, 3]);
    world.promote(0.8);
    assert.ok(world.rollback());
    const shares = sharesOf(world.rollout);
    assert.deepEqual([shares?.get("v0"), shares?.get("v1")], [1, 0]);
    balancer.run(10);
    assert.deepEqual([countOf(world, "v0"), world.bodies.size], [3, 3]);
    assert.equal(sharesOf(world.rollout), undefined);
  });

  test("is refused while another is under way, and where nothing has proven healthy", (t) => {
    const world = open(t, 3);
    world.deploy("v1", "good", CANARY);
    assert.throws(() => world.deploy("v2", "good", CANARY), {
      code: "TRIAL_REFUSED",
      message: /another trial/,
    });
    assert.ok(world.promote());
    assert.throws(() => world.deploy("v2", "good", CANARY), { code: "TRIAL_REFUSED", message: /not ended/ });
  });

  test("of a canary never has all the requests", (t) => {
    const world = open(t, 3);
    world.deploy("v1", "good", CANARY);
    assert.throws(() => world.promote(1), { code: "OUT_OF_BOUNDS", message: /got 100 %/ });
    assert.equal(world.abort(), true);
    assert.equal(world.abort(), false);
    assert.equal(world.promote(), false);
  });
});
