import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { busyInEither, InFlightWork } from "../../orchestrator/in-flight.ts";
import { reconcile } from "../../orchestrator/reconcile.ts";
import { inputOf, replica, type Situation, STOP_FIRST, service, template } from "./builders.ts";

const planOf = (situation: Situation) => reconcile(inputOf(situation));
const web = service("web");

const words = ({ arriving, leaving, resources }: ReturnType<InFlightWork["snapshot"]>) => ({
  arriving: [...arriving],
  leaving: [...leaving],
  resources: [...resources],
});

describe("work in flight", () => {
  test("a slot that a plan fills is arriving until its last action has ended", () => {
    const work = new InFlightWork();
    const plan = planOf({ services: [web], replicas: [] });
    work.add(plan);
    assert.deepEqual(words(work.snapshot()), { arriving: ["shop_web#1"], leaving: [], resources: [] });
    const [create, start] = plan.actions;
    assert.ok(create !== undefined && start !== undefined);
    work.finish(create);
    assert.deepEqual(words(work.snapshot()).arriving, ["shop_web#1"]);
    work.finish(start);
    assert.deepEqual(words(work.snapshot()), { arriving: [], leaving: [], resources: [] });
  });

  test("a slot that a plan empties is leaving, and one that it replaces is arriving", () => {
    const work = new InFlightWork();
    work.add(planOf({ services: [web], replicas: [replica("web", 1), replica("web", 2)] }));
    work.add(
      planOf({
        services: [service("db", STOP_FIRST)],
        replicas: [replica("db", 1, "running", { templateHash: "old" })],
      }),
    );
    assert.deepEqual(words(work.snapshot()), {
      arriving: ["shop_db#1"],
      leaving: ["shop_web#2"],
      resources: [],
    });
  });

  test("an image is worked on for every service that needs it", () => {
    const work = new InFlightWork();
    const needy = service("web", { template: template({ image: "shop/web:1" }) });
    const plan = planOf({ services: [needy], replicas: [] });
    work.add(plan);
    assert.deepEqual(words(work.snapshot()).resources, ["image:shop/web:1"]);
    for (const action of plan.actions) work.finish(action);
    assert.deepEqual(words(work.snapshot()), { arriving: [], leaving: [], resources: [] });
  });

  test("what runs is not planned a second time", () => {
    const work = new InFlightWork();
    const situation = { services: [web], desired: { web: 3 }, replicas: [replica("web", 1)] };
    work.add(planOf(situation));
    assert.deepEqual(planOf({ ...situation, inFlight: work.snapshot() }).actions, []);
  });

  test("a snapshot stays as it was", () => {
    const work = new InFlightWork();
    const before = work.snapshot();
    work.add(planOf({ services: [web], replicas: [] }));
    assert.deepEqual(words(before).arriving, []);
  });

  test("busy before or after the engine was looked at is busy", () => {
    const none = { arriving: new Set<string>(), leaving: new Set<string>(), resources: new Set<string>() };
    const before = { ...none, arriving: new Set(["a#1"]), resources: new Set(["image:x"]) };
    const after = { ...none, arriving: new Set(["a#2"]), leaving: new Set(["b#1"]) };
    assert.deepEqual(words(busyInEither(before, after)), {
      arriving: ["a#1", "a#2"],
      leaving: ["b#1"],
      resources: ["image:x"],
    });
  });
});
