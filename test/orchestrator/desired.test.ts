import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import { Store } from "../../core/store.ts";
import type { Project, ScalingPolicy, Service } from "../../core/types.ts";
import { DesiredState } from "../../orchestrator/desired.ts";
import { project, service } from "./builders.ts";

const NOTHING_FOUND: ReadonlyMap<string, number> = new Map();

const policy: ScalingPolicy = {
  rules: [{ metric: "cpu", max: 0.7, capacity: 1 }],
  kind: "step",
  minReplicas: 2,
  maxReplicas: 6,
  step: 1,
  windowMs: 10_000,
  cooldownMs: 15_000,
  stabilizationMs: 300_000,
  schedule: [],
  predict: false,
  dryRun: false,
};

const scaling = (changes: Partial<ScalingPolicy> = {}): Service =>
  service("web", { scaling: { ...policy, ...changes } });
const fixed = (initialReplicas: number): Service => service("db", { initialReplicas });

/** The state in a data directory, which can be closed and opened again as a daemon that restarts does. */
class Reopenable {
  readonly #directory = mkdtempSync(join(tmpdir(), "flyball-desired-"));
  #store: Store;
  state: DesiredState;

  constructor(t: TestContext) {
    this.#store = new Store(this.#directory);
    this.state = new DesiredState(this.#store);
    t.after(() => {
      this.#store[Symbol.dispose]();
      rmSync(this.#directory, { recursive: true });
    });
  }

  reopen(): void {
    this.#store[Symbol.dispose]();
    this.#store = new Store(this.#directory);
    this.state = new DesiredState(this.#store);
  }

  up(wanted: Project, found: ReadonlyMap<string, number> = NOTHING_FOUND): void {
    this.state.apply(this.state.withProject(wanted, found));
  }

  get counts(): Record<string, number | undefined> {
    return Object.fromEntries(this.state.services.map(({ id }) => [id, this.state.replicas(id)]));
  }
}

describe("the desired state", () => {
  test("is there again after a restart: projects, definitions and counts", (t) => {
    const on = new Reopenable(t);
    const shop = project([scaling(), fixed(1)]);
    on.up(shop);
    on.state.setReplicas("shop_web", 5);
    on.reopen();
    assert.deepEqual(on.state.project("shop")?.project, shop);
    assert.deepEqual(on.counts, { shop_web: 5, shop_db: 1 });
  });

  test("begins with the file's count, brought within the bounds where the service scales", (t) => {
    const on = new Reopenable(t);
    on.up(project([{ ...scaling(), initialReplicas: 1 }, fixed(3)]));
    assert.deepEqual(on.counts, { shop_web: 2, shop_db: 3 });
  });

  test("begins with what is found running where the service scales, and with the file elsewhere", (t) => {
    const on = new Reopenable(t);
    const found = new Map([
      ["shop_web", 4],
      ["shop_db", 4],
    ]);
    on.up(project([scaling(), fixed(1)]), found);
    assert.deepEqual(on.counts, { shop_web: 4, shop_db: 1 });
  });

  test("keeps the live count of a service that scales at a second up, and follows the file elsewhere", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling(), fixed(1)]));
    on.state.setReplicas("shop_web", 5);
    on.state.setReplicas("shop_db", 4);
    on.up(project([scaling(), fixed(2)]), new Map([["shop_web", 1]]));
    assert.deepEqual(on.counts, { shop_web: 5, shop_db: 2 });
  });

  test("brings the live count within bounds that have changed", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling()]));
    on.state.setReplicas("shop_web", 6);
    on.up(project([scaling({ maxReplicas: 3 })]));
    assert.deepEqual(on.counts, { shop_web: 3 });
  });

  test("a service that no longer scales goes back to its file's count", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling()]));
    on.state.setReplicas("shop_web", 5);
    on.up(project([service("web")]));
    assert.deepEqual(on.counts, { shop_web: 1 });
  });

  test("a global service has one, whatever its file says", (t) => {
    const on = new Reopenable(t);
    on.up(project([service("agent", { global: true, initialReplicas: 4 })]), new Map([["shop_agent", 3]]));
    assert.deepEqual(on.counts, { shop_agent: 1 });
  });

  test("withProject alone changes nothing", (t) => {
    const on = new Reopenable(t);
    on.state.withProject(project([scaling()]), NOTHING_FOUND);
    assert.deepEqual(on.state.all, []);
    on.reopen();
    assert.deepEqual(on.state.all, []);
  });

  test("a service that the file has dropped is forgotten, and its count with it", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling(), fixed(1)]));
    on.up(project([fixed(1)]));
    assert.deepEqual(on.counts, { shop_db: 1 });
    on.reopen();
    assert.equal(on.state.replicas("shop_web"), undefined);
    assert.equal(on.state.service("shop_web"), undefined);
  });
});

describe("removing a project", () => {
  test("is remembered over a restart until it is finished, and its services are no longer offered", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling()]));
    on.state.startRemoval("shop");
    assert.deepEqual(on.state.services, []);
    on.reopen();
    assert.equal(on.state.project("shop")?.removing, true);
    assert.deepEqual(on.state.services, []);
    on.state.finishRemoval("shop");
    assert.deepEqual(on.state.all, []);
    on.reopen();
    assert.deepEqual(on.state.all, []);
  });

  test("is taken back by an up, which starts from what is still there", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling()]));
    on.state.setReplicas("shop_web", 6);
    on.state.startRemoval("shop");
    on.up(project([scaling()]), new Map([["shop_web", 3]]));
    on.reopen();
    assert.equal(on.state.project("shop")?.removing, false);
    assert.deepEqual(on.counts, { shop_web: 3 });
  });
});

describe("two projects", () => {
  const ours = project([service("b_c", { id: "a_b_c", project: "a" })], { name: "a" });
  const theirs = project([service("c", { id: "a_b_c", project: "a_b" })], { name: "a_b" });
  const isRefusal = (error: unknown) =>
    isFlyballError(error) &&
    error.code === "COMPOSE_INVALID" &&
    /c.+a_b_c.+project a has/.test(error.message);

  test("with services of one id are refused, and the first stays as it is", (t) => {
    const on = new Reopenable(t);
    on.up(ours);
    assert.throws(() => on.up(theirs), isRefusal);
    assert.deepEqual(on.counts, { a_b_c: 1 });
    assert.equal(on.state.project("a_b"), undefined);
  });

  test("are so also while the first is being removed, and no longer once it is gone", (t) => {
    const on = new Reopenable(t);
    on.up(ours);
    on.state.startRemoval("a");
    assert.throws(() => on.up(theirs), isRefusal);
    on.state.finishRemoval("a");
    on.up(theirs);
    assert.deepEqual(on.counts, { a_b_c: 1 });
  });

  test("keep their counts apart", (t) => {
    const on = new Reopenable(t);
    on.up(project([scaling()]));
    on.up(project([service("web", { id: "blog_web", project: "blog" })], { name: "blog" }));
    on.state.setReplicas("shop_web", 4);
    on.state.startRemoval("blog");
    on.state.finishRemoval("blog");
    on.reopen();
    assert.deepEqual(on.counts, { shop_web: 4 });
  });
});
