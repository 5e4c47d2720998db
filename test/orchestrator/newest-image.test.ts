import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { Store } from "../../core/store.ts";
import type { ObservedReplica } from "../../core/types.ts";
import { Rollouts } from "../../orchestrator/rollout/rollouts.ts";
import { NOW_MS, planText, project, replica, service, template } from "./builders.ts";

const NAME = "shop/web:latest";
const web = service("web", {
  template: template({ image: NAME, container: { pullPolicy: "always" } }),
  updates: { update: { monitorMs: 0 }, rollback: { monitorMs: 0 } },
});
const [A, B] = ["sha256:aaaa", "sha256:bbbb"];
const of = (imageId: string, templateHash = "h1", slot = 1) =>
  replica("web", slot, "running", { imageId, templateHash });

/** The service is up with the first image, and its rollout is done. */
class Up {
  readonly rollouts: Rollouts;
  replicas: readonly ObservedReplica[] = [of(A)];

  constructor(t: TestContext) {
    const directory = mkdtempSync(join(tmpdir(), "flyball-newest-"));
    const store = new Store(directory);
    t.after(() => {
      store[Symbol.dispose]();
      rmSync(directory, { recursive: true });
    });
    this.rollouts = new Rollouts(store);
    this.apply();
    this.look();
    assert.equal(this.rollout?.state, "done");
  }

  get rollout() {
    return this.rollouts.all.get(web.id);
  }

  apply(): void {
    const shop = project([web]);
    const rollouts = this.rollouts.withProject(shop, () => this.replicas, NOW_MS);
    this.rollouts.save(shop, rollouts, NOW_MS);
    this.rollouts.adopt(shop, rollouts);
  }

  look(): void {
    const look = { replicasOf: () => this.replicas, wanted: () => 1, isExcused: () => false };
    this.rollouts.advance(this.rollouts.resolve(project([web])).services, look, NOW_MS);
  }

  pulled(id: string, name = NAME): void {
    this.rollouts.imagePulled([web], { name, id }, () => this.replicas, NOW_MS);
  }

  plan(): readonly string[] {
    const services = this.rollouts.resolve(project([web])).services;
    const rollouts = [...this.rollouts.all.values()];
    return planText({ services, replicas: this.replicas, rollouts, seen: { images: [NAME] } });
  }
}

describe("a service that takes the newest image", () => {
  test("has it pulled again whenever it is applied, and only then", (t) => {
    const up = new Up(t);
    assert.deepEqual(up.plan(), []);
    up.apply();
    assert.deepEqual(up.plan(), [`0 pull ${NAME}: web takes the newest each time it is applied`]);
    up.pulled(A);
    assert.deepEqual(up.plan(), [], "the image is the same");
    assert.equal(up.rollout?.state, "done");
  });

  test("is rolled out when the name stands for another one, and pulled once", (t) => {
    const up = new Up(t);
    up.apply();
    up.pulled(B, "other/image");
    assert.equal(up.plan().length, 1, "another image was pulled");
    up.pulled(B);
    assert.deepEqual(up.plan(), [
      "0 create shop_web 2: to revision 2, before an old one goes",
      "1 start shop_web 2 (after 0): to revision 2, before an old one goes",
    ]);
    const { to } = up.rollout ?? {};
    assert.ok(to !== undefined);
    up.replicas = [of(A), of(B, to.hash, 2)];
    up.look();
    up.replicas = [of(B, to.hash, 2)];
    up.look();
    assert.equal(up.rollout?.state, "done");
    assert.deepEqual(up.plan(), []);
    up.apply();
    assert.equal(up.plan().length, 1);
    up.pulled(B);
    assert.deepEqual(up.plan(), [], "the same file and the same image");
  });

  test("goes back to the image that it had, whatever the name stands for", (t) => {
    const up = new Up(t);
    up.apply();
    up.pulled(B);
    const { to } = up.rollout ?? {};
    assert.ok(to !== undefined);
    up.replicas = [of(A), { ...of(B, to.hash, 2), state: "exited", exitCode: 1, startedAtMs: NOW_MS }];
    up.look();
    assert.equal(up.rollout?.kind, "rollback");
    assert.equal(up.rollout?.to.hash, "h1");
    assert.equal(up.rollout?.to.template.image, A);
    const [resolved] = up.rollouts.resolve(project([web])).services;
    assert.equal(resolved?.template.image, A, "replicas are made from that");
    const lines = planText({
      services: up.rollouts.resolve(project([web])).services,
      replicas: [of(B, to.hash, 2)],
      rollouts: [...up.rollouts.all.values()],
      seen: { images: [A] },
    });
    assert.match(lines[0] ?? "", /^0 create shop_web 1: back to revision 1/u, "nothing is pulled for that");
  });

  test("makes what is missing from the image that runs, until the new one has proven healthy", (t) => {
    const up = new Up(t);
    up.apply();
    up.pulled(B);
    const { rollout } = up;
    assert.ok(rollout !== undefined);
    const services = up.rollouts.resolve(project([web])).services;
    const lines = planText({
      services,
      desired: { web: 2 },
      replicas: [of(A)],
      rollouts: [rollout],
      seen: { images: [NAME] },
    });
    assert.match(lines[0] ?? "", /^0 create shop_web 2: .*from the template before/u);
  });

  test("is left to compose where compose made it", (t) => {
    const up = new Up(t);
    up.apply();
    const { templateHash: _, ...made } = of(A);
    up.replicas = [{ ...made, origin: "compose" }];
    assert.deepEqual(up.plan(), []);
  });
});
