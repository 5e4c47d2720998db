import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { Store } from "../../core/store.ts";
import type { ObservedReplica, Service } from "../../core/types.ts";
import type { Rollout } from "../../orchestrator/rollout/rollout.ts";
import { Rollouts } from "../../orchestrator/rollout/rollouts.ts";
import { rolloutView } from "../../orchestrator/rollout/view.ts";
import { composeReplica, NOW_MS, project, replica, service, template } from "./builders.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

const version = (name: string): Service =>
  service("web", { templateHash: name, template: template({ environment: { VERSION: name } }) });

/** Rollouts in a data directory, which can be closed and opened again as a daemon that restarts does. */
class Reopenable {
  readonly #directory = mkdtempSync(join(tmpdir(), "flyball-rollouts-"));
  #store: Store;
  rollouts: Rollouts;
  replicas: readonly ObservedReplica[] = [];
  nowMs = NOW_MS;

  constructor(t: TestContext) {
    this.#store = new Store(this.#directory);
    this.rollouts = new Rollouts(this.#store);
    t.after(() => {
      this.#store[Symbol.dispose]();
      rmSync(this.#directory, { recursive: true });
    });
  }

  reopen(): void {
    this.#store[Symbol.dispose]();
    this.#store = new Store(this.#directory);
    this.rollouts = new Rollouts(this.#store);
  }

  up(...services: Service[]): void {
    const wanted = project(services);
    const rollouts = this.rollouts.withProject(wanted, () => this.replicas, this.nowMs);
    this.#store.transaction(() => this.rollouts.save(wanted, rollouts, this.nowMs));
    this.rollouts.adopt(wanted, rollouts);
  }

  look(of: Service, wanted = 1): readonly Rollout[] {
    const look = { replicasOf: () => this.replicas, wanted: () => wanted, isExcused: () => false };
    return this.rollouts.advance([this.rollouts.resolve(project([of])).services[0] ?? of], look, this.nowMs);
  }

  /** The version is applied and all its replicas are healthy. */
  deploy(of: Service): void {
    this.up(of);
    this.replicas = [replica("web", 1, "running", { templateHash: of.templateHash, readyAtMs: this.nowMs })];
    this.nowMs += 10 * SECOND_MS;
    this.look(of);
  }

  /** The version is applied and its replica fails. */
  fail(of: Service): void {
    this.up(of);
    const ended = { templateHash: of.templateHash, exitCode: 1, startedAtMs: this.nowMs + 1 };
    this.look(of);
    this.replicas = [...this.replicas, replica("web", 2, "exited", ended)];
    this.nowMs += SECOND_MS;
    this.look(of);
    this.replicas = this.replicas.slice(0, 1);
  }

  get current(): Rollout {
    const rollout = this.rollouts.all.get("shop_web");
    assert.ok(rollout !== undefined);
    return rollout;
  }

  /** `updating to 2`. */
  get state(): string {
    const { kind, state, to } = this.current;
    return `${kind} ${state} at ${to.number}`;
  }
}

describe("rollouts in the store", () => {
  test("are where they were after a restart, and no time is held against them", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("a"));
    assert.equal(on.state, "first done at 1");
    on.up(version("b"));
    assert.equal(on.state, "update updating at 2");
    on.reopen();
    assert.equal(on.state, "update updating at 2");
    assert.equal(on.current.from?.hash, "a");
    on.nowMs += 60 * MINUTE_MS;
    on.look(version("b"));
    assert.equal(on.state, "update updating at 2", "an hour without a daemon is no hour without progress");
  });

  test("go back on failure, and the service is at the older template from then on", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("a"));
    on.fail(version("b"));
    assert.equal(on.state, "rollback updating at 1");
    on.reopen();
    const resolved = on.rollouts.resolve(project([version("b")])).services[0];
    assert.equal(resolved?.templateHash, "a");
    assert.deepEqual(resolved?.template.environment, { VERSION: "a" });
    on.look(version("b"));
    assert.equal(on.state, "rollback done at 1");
    assert.deepEqual(
      on.rollouts.revisions("shop_web").map(({ number, outcome, reason }) => [number, outcome, reason]),
      [
        [2, "failed", "its replica 2 ended with status 1"],
        [1, "healthy", undefined],
      ],
    );
  });

  test("refuse a template that was rolled back until somebody applies it again", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("a"));
    on.fail(version("b"));
    on.look(version("b"));
    on.look(version("b"));
    assert.equal(on.state, "rollback done at 1");
    on.up(version("b"));
    assert.equal(on.state, "update updating at 3");
    assert.deepEqual(
      on.rollouts.revisions("shop_web").map(({ number, hash }) => [number, hash]),
      [
        [3, "b"],
        [1, "a"],
      ],
    );
  });

  test("are cancelled by another template, which goes back to the last healthy one and not to the cancelled", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("a"));
    on.up(version("b"));
    on.up(version("c"));
    assert.equal(on.state, "update updating at 3");
    assert.equal(on.current.from?.hash, "a");
  });

  test("go on when the same template is applied again, also after a pause", (t) => {
    const on = new Reopenable(t);
    const paused = {
      ...version("b"),
      updates: { update: { failureAction: "pause" }, rollback: {} },
    } as const;
    on.deploy(version("a"));
    on.up(version("b"));
    const before = on.current;
    on.up(version("b"));
    assert.equal(on.current, before);
    on.fail(paused);
    assert.equal(on.state, "update paused at 2");
    on.up(paused);
    assert.equal(on.state, "update updating at 2");
  });

  test("of what compose made are done: compose updates them", (t) => {
    const on = new Reopenable(t);
    on.up(version("a"));
    on.replicas = [composeReplica("web", 1)];
    on.look(version("a"));
    assert.equal(on.state, "first done at 1");
  });

  test("begin by themselves where a data directory is older than they are", (t) => {
    const on = new Reopenable(t);
    on.replicas = [replica("web", 1, "running", { templateHash: "a" })];
    on.look(version("a"));
    assert.equal(on.state, "first done at 1");
  });

  test("are forgotten with the service and with the project", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("a"));
    on.up(service("other"));
    assert.deepEqual([...on.rollouts.all.keys()], ["shop_other"]);
    on.reopen();
    assert.deepEqual([...on.rollouts.all.keys()], ["shop_other"]);
    assert.deepEqual(on.rollouts.revisions("shop_web"), []);
    on.rollouts.erase("shop");
    on.rollouts.forget("shop");
    on.reopen();
    assert.equal(on.rollouts.all.size, 0);
  });
});

describe("revisions", () => {
  test("are the last ten, and the healthy ones to go back to, however many failed since", (t) => {
    const on = new Reopenable(t);
    on.deploy(version("good"));
    for (let index = 1; index <= 14; index += 1) on.fail(version(`bad${index}`));
    const numbers = on.rollouts.revisions("shop_web").map(({ number }) => number);
    assert.deepEqual(numbers, [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 1]);
    assert.equal(on.state, "rollback updating at 1");
  });

  test("lead back to the last different healthy one", (t) => {
    const on = new Reopenable(t);
    for (const name of ["a", "b", "c"]) on.deploy(version(name));
    on.rollouts.rollback(version("c"), on.nowMs);
    assert.equal(on.state, "rollback updating at 2");
  });
});

describe("the sentence of a rollout", () => {
  const sentence = (on: Reopenable, of: Service) => rolloutView(on.current, of, on.replicas, 1).sentence;

  test("says from where to where, how far, in which order and why", (t) => {
    const on = new Reopenable(t);
    on.up(version("a"));
    assert.equal(sentence(on, version("a")), "starting with revision 1: 0 of 1 replicas have proven healthy");
    on.deploy(version("a"));
    assert.equal(sentence(on, version("a")), "all replicas are of revision 1");
    on.up(version("b"));
    assert.equal(
      sentence(on, version("b")),
      "updating from revision 1 to revision 2: 0 of 1 replicas have proven healthy; start-first, because two of its replicas can stand side by side",
    );
    on.fail(version("b"));
    assert.match(
      sentence(on, version("b")),
      /^rolling back to revision 1 from revision 2: its replica 2 ended with status 1; 0 of 1 replicas/,
    );
    on.look(version("b"));
    assert.equal(
      sentence(on, version("b")),
      "rolled back to revision 1 from revision 2: its replica 2 ended with status 1",
    );
  });
});
