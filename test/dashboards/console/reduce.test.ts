import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Readiness } from "../../../core/wire.ts";
import {
  reduce,
  TRAIL_LENGTH,
  withAlerts,
  withServices,
} from "../../../dashboards/console/page/state/reduce.ts";
import { EMPTY_WORLD } from "../../../dashboards/console/page/state/world.ts";
import { aDecision, anAlert, aService, aView, aWorld, EPOCH, event, samples, T0_MS } from "./builders.ts";

const HEARD_MS = 5_000;
const READY: Readiness = { ready: true, engine: "docker", collector: "running" };

describe("the world after figures", () => {
  test("has the newest, and remembers those before; who was not told of stays the same object", () => {
    const [web, api] = [aService("shop_web"), aService("shop_api")];
    const busy = aView("shop_web", {
      load: { cpuRatio: 0.9 },
      replicas: { desired: 2, running: 1, ready: 1 },
    });
    const world = reduce(aWorld(web, api), samples(busy), HEARD_MS);
    const seen = world.services?.get("shop_web");
    assert.equal(seen?.view.load.cpuRatio, 0.9);
    assert.equal(seen?.view.replicas.desired, 2);
    assert.deepEqual(seen?.view.autoscale, web.view.autoscale, "what figures do not tell stays");
    assert.deepEqual(
      seen?.trail.map(({ atMs, cpuRatio }) => [atMs, cpuRatio]),
      [[T0_MS, 0.9]],
    );
    assert.equal(world.services?.get("shop_api"), api, "so that its tile is not drawn again");
    assert.equal(world.figuresAtMs, T0_MS);
    assert.equal(world.figuresHeardAtMs, HEARD_MS);
  });

  test("asks for the services again when there are others than are known", () => {
    const known = aWorld(aService("shop_web"));
    assert.equal(reduce(known, samples(aView("shop_web")), HEARD_MS).outdated.services, false);
    const more = samples(aView("shop_web"), aView("shop_new"));
    assert.equal(reduce(known, more, HEARD_MS).outdated.services, true);
    assert.equal(reduce(known, samples(), HEARD_MS).outdated.services, true);
  });

  test("forgets seconds beyond those that it keeps", () => {
    let world = aWorld(aService("shop_web"));
    for (let second = 0; second < TRAIL_LENGTH + 5; second += 1) {
      world = reduce(world, samples(aView("shop_web", { load: { cpuRatio: second } })), HEARD_MS);
    }
    const trail = world.services?.get("shop_web")?.trail ?? [];
    assert.equal(trail.length, TRAIL_LENGTH);
    assert.equal(trail.at(-1)?.cpuRatio, TRAIL_LENGTH + 4);
  });

  test("is as before while it is not known which services there are", () => {
    assert.equal(reduce(EMPTY_WORLD, samples(aView("shop_web")), HEARD_MS).services, undefined);
  });
});

describe("the world after a decision", () => {
  test("tells it on its tile and on the timeline, once", () => {
    const decision = aDecision("shop_web", 1, 2);
    const once = reduce(aWorld(aService("shop_web")), event("decisions", decision), HEARD_MS);
    const twice = reduce(once, event("decisions", decision, 12), HEARD_MS);
    assert.deepEqual(twice.services?.get("shop_web")?.view.lastDecision, decision);
    assert.deepEqual(
      twice.timeline.map(({ text, tone }) => [text, tone]),
      [["1 → 2: as told", "out"]],
    );
  });

  test("keeps the newer one, whatever comes late", () => {
    const newer = aDecision("shop_web", 2, 3, T0_MS + 1_000);
    const world = reduce(
      aWorld(aService("shop_web", { lastDecision: newer })),
      event("decisions", aDecision("shop_web", 1, 2)),
      HEARD_MS,
    );
    assert.equal(world.services?.get("shop_web")?.view.lastDecision, newer);
    assert.equal(world.timeline.length, 1);
  });

  test("one that changed nothing is quiet", () => {
    const world = reduce(aWorld(), event("decisions", aDecision("shop_web", 2, 2)), HEARD_MS);
    assert.equal(world.timeline[0]?.isQuiet, true);
  });
});

describe("the world after the rest", () => {
  test("knows how far it has heard, and begins anew with another daemon", () => {
    const heard = reduce(
      aWorld(),
      event("actions", { action: "create web 1", cause: "why", outcome: "done", tookMs: 3 }, 42),
      HEARD_MS,
    );
    assert.deepEqual(heard.position, { epoch: EPOCH, seq: 42 });
    const hello = (epoch: string) => ({ type: "hello", epoch, seq: 3, heartbeatMs: 15_000 }) as const;
    assert.deepEqual(reduce(heard, hello(EPOCH), HEARD_MS).position, { epoch: EPOCH, seq: 42 });
    assert.deepEqual(reduce(heard, hello("another"), HEARD_MS).position, { epoch: "another", seq: 3 });
  });

  test("an action that failed says why", () => {
    const failed = {
      service: "shop_web",
      action: "start web 1",
      cause: "web should have 1",
      outcome: "failed",
      error: "no room",
      tookMs: 3,
    };
    const [line] = reduce(aWorld(), event("actions", failed), HEARD_MS).timeline;
    assert.deepEqual(
      [line?.text, line?.detail, line?.tone],
      ["start web 1 failed: no room", "web should have 1", "bad"],
    );
  });

  test("an alert that is told by a notification and by the list of alerts is one line", () => {
    const alert = anAlert("shop_web", { resolvedAtMs: T0_MS + 9_000, state: "resolved" });
    const { id, summary, labels, severity } = alert;
    const told = { fingerprint: id, summary, labels, severity, advice: "", startsAtMs: T0_MS };
    const notified = reduce(
      aWorld(),
      event("alerts", { reason: "first", atMs: T0_MS, alerts: [{ ...told, status: "firing" }] }),
      HEARD_MS,
    );
    assert.equal(notified.outdated.alerts, true);
    const listed = withAlerts(notified, { alerts: [alert], channels: [], silences: [], readiness: READY });
    assert.equal(listed.outdated.alerts, false);
    assert.deepEqual(
      listed.timeline.map(({ text, tone }) => [text, tone]),
      [
        ["resolved: shop_web is hot", "good"],
        ["shop_web is hot", "warn"],
      ],
    );
  });

  test("services that were asked for keep what was seen of them; those that are gone go", () => {
    const before = reduce(
      aWorld(aService("shop_web"), aService("shop_old")),
      samples(aView("shop_web"), aView("shop_old")),
      HEARD_MS,
    );
    const audit = [
      {
        atMs: T0_MS,
        project: "shop",
        service: "shop_web",
        who: "api",
        what: "scale" as const,
        sentence: "by hand",
      },
    ];
    const world = withServices(before, { services: [aView("shop_web"), aView("shop_new")], jobs: [], audit });
    assert.deepEqual([...(world.services?.keys() ?? [])], ["shop_web", "shop_new"]);
    assert.equal(world.services?.get("shop_web")?.trail.length, 1);
    assert.deepEqual(
      world.timeline.map(({ kind, text }) => [kind, text]),
      [["hand", "by hand"]],
    );
  });
});
