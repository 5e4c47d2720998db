import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reconcile } from "../../orchestrator/reconcile.ts";
import { composeReplica, inputOf, NOW_MS, planText, replica, service, template } from "./builders.ts";

const web = service("web");
const three = [replica("web", 1), replica("web", 2), replica("web", 3)];

describe("who goes at a scale-in", () => {
  const firstVictim = (...args: Parameters<typeof planText>) =>
    planText(...args).find((line) => line.includes("remove"));

  test("the idlest, by what the collector measured, and the cause says so", () => {
    assert.equal(
      firstVictim({
        services: [web],
        desired: { web: 2 },
        replicas: three,
        load: { "web-1": 0.5, "web-2": 0.02, "web-3": 0.4 },
      }),
      "1 remove shop_web 2 (after 0): web should have 2, not 3; 2 is the idlest (0.02 cores)",
    );
  });

  test("one whose load is unknown goes after those whose load is known, and before none", () => {
    const situation = { services: [web], desired: { web: 2 }, replicas: three };
    assert.match(firstVictim({ ...situation, load: { "web-1": 0.5, "web-2": 0.6 } }) ?? "", /shop_web 1/);
    assert.match(firstVictim(situation) ?? "", /; 3 has the highest number$/);
  });

  test("one that crashes again and again before an idle one", () => {
    const attempts = new Map([
      ["shop_web#1", { failures: 2, lastAtMs: 0, reason: "it ended", delayMs: 1_000 }],
    ]);
    const situation = { services: [web], desired: { web: 2 }, replicas: three, load: { "web-2": 0.01 } };
    assert.match(firstVictim({ ...situation, attempts }) ?? "", /shop_web 1 .*; 1 has failed lately$/);
    const restarted = replica("web", 1, "running", { restarts: 3, startedAtMs: NOW_MS - 20_000 });
    const replicas = [restarted, replica("web", 2), replica("web", 3)];
    assert.match(firstVictim({ ...situation, replicas }) ?? "", /shop_web 1 .*; 1 has failed lately$/);
    const longAgo = { ...restarted, startedAtMs: NOW_MS - 3_600_000 };
    assert.match(
      firstVictim({ ...situation, replicas: [longAgo, replica("web", 2), replica("web", 3)] }) ?? "",
      /shop_web 2 .*; 2 is the idlest/,
    );
  });

  test("one that is not ready before all of them", () => {
    const replicas = [replica("web", 1, "starting"), replica("web", 2), replica("web", 3)];
    assert.match(
      firstVictim({ services: [web], desired: { web: 2 }, replicas, load: { "web-2": 0 } }) ?? "",
      /shop_web 1 .*; 1 is not ready \(starting\)$/,
    );
  });

  test("of what compose owns the highest number, whatever it does", () => {
    const replicas = [composeReplica("web", 1, "unhealthy"), replica("web", 2), replica("web", 3)];
    assert.match(
      firstVictim({ services: [web], desired: { web: 2 }, replicas, load: { "web-2": 0 } }) ?? "",
      /shop_web 3 .*; 3 has the highest number, which is how compose takes them$/,
    );
  });

  test("nobody who is ready, while those that would stay are still on their way", () => {
    const inFlight = { arriving: new Set(["shop_web#3", "shop_web#4"]) };
    const replicas = [replica("web", 1), replica("web", 2)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas, inFlight }), []);
    const made = [composeReplica("web", 1), composeReplica("web", 2)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas: made, inFlight }), []);
  });
});

describe("one that no longer lives", () => {
  const dead = (slot: number) => replica("web", slot, "unhealthy", { live: false });

  test("is replaced in its slot, one at a time", () => {
    assert.deepEqual(
      planText({ services: [web], desired: { web: 3 }, replicas: [dead(1), dead(2), replica("web", 3)] }),
      [
        "hold shop_web 2: is unhealthy; one is replaced at a time",
        "0 stop shop_web 1: it is unhealthy",
        "1 remove shop_web 1 (after 0): it is unhealthy",
        "2 create shop_web 1 (after 1): it is unhealthy",
        "3 start shop_web 1 (after 2): it is unhealthy",
      ].toSorted((a, b) => Number(a.startsWith("hold")) - Number(b.startsWith("hold"))),
    );
  });

  test("waits while another is on its way", () => {
    const replicas = [dead(1), replica("web", 2, "starting")];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas }), [
      "hold shop_web 1: is unhealthy; one is replaced at a time",
    ]);
  });

  test("is only reported where its probe decides readiness alone, and where compose made it", () => {
    assert.deepEqual(planText({ services: [web], replicas: [replica("web", 1, "unhealthy")] }), [
      "hold shop_web 1: is unhealthy",
    ]);
    const made = { ...composeReplica("web", 1, "unhealthy"), live: false as const };
    assert.deepEqual(planText({ services: [web], replicas: [made] }), [
      "hold shop_web 1: is unhealthy; compose made it, so it is left alone",
    ]);
  });

  test("is replaced more seldom each time", () => {
    const attempts = new Map([
      ["shop_web#1", { failures: 5, lastAtMs: NOW_MS, reason: "it was unhealthy", delayMs: 1_000 }],
    ]);
    assert.deepEqual(planText({ services: [web], replicas: [dead(1)], attempts }), [
      "hold shop_web 1: is in a crash loop: failed 5 times in a row (it was unhealthy); tried again in 16s",
    ]);
  });
});

describe("what is reserved", () => {
  const big = service("web", { template: template({ resources: { reservedCores: 2 } }) });
  const capacity = { cores: 5, memoryBytes: 2 ** 30, overcommitRatio: 1 };

  test("fits the host, or is held and said, and what fits is made", () => {
    const lines = planText({ services: [big], desired: { web: 4 }, replicas: [replica("web", 1)], capacity });
    assert.deepEqual(lines, [
      "0 create shop_web 2: web should have 4, not 1",
      "1 start shop_web 2 (after 0): web should have 4, not 1",
      "hold shop_web: needs 2.0 cores, 1.0 free",
    ]);
  });

  test("counts what is on its way, and memory as well", () => {
    const inFlight = { arriving: new Set(["shop_web#2"]) };
    const situation = {
      services: [big],
      desired: { web: 3 },
      replicas: [replica("web", 1)],
      inFlight,
      capacity,
    };
    assert.deepEqual(planText(situation), ["hold shop_web: needs 2.0 cores, 1.0 free"]);
    const hungry = service("web", { template: template({ resources: { reservedMemoryBytes: 2 ** 30 } }) });
    assert.deepEqual(planText({ ...situation, services: [hungry] }), [
      "hold shop_web: needs 1 GiB of memory, 0 B free",
    ]);
  });

  test("may add up to more than there is, where that is allowed", () => {
    const twice = { ...capacity, overcommitRatio: 2 };
    const lines = planText({ services: [big], desired: { web: 5 }, replicas: [], capacity: twice });
    assert.deepEqual(
      lines.filter((line) => !/create|start/.test(line)),
      [],
    );
  });

  test("is told to programs by the kind of the hold", () => {
    const { holds } = reconcile(inputOf({ services: [big], desired: { web: 4 }, replicas: [], capacity }));
    assert.deepEqual(
      holds.map(({ kind }) => kind),
      ["capacity"],
    );
  });

  test("is given back by the one that is replaced in its place", () => {
    const changed = { ...big, updates: { update: { order: "stop-first" }, rollback: {} } } as const;
    const replicas = [1, 2].map((slot) => replica("web", slot, "running", { templateHash: "h0" }));
    const [first] = planText({ services: [changed], desired: { web: 2 }, replicas, capacity });
    assert.match(first ?? "", /^0 stop shop_web 1/);
  });
});

describe("a global service", () => {
  test("has exactly one, whatever is asked for", () => {
    const agent = service("agent", { global: true });
    for (const count of [0, 1, 5]) {
      assert.deepEqual(planText({ services: [agent], desired: { agent: count }, replicas: [] }), [
        "0 create shop_agent 1: agent should have 1, not 0",
        "1 start shop_agent 1 (after 0): agent should have 1, not 0",
      ]);
    }
  });
});

describe("a dependency that is gone", () => {
  const dependent = service("web", {
    dependsOn: [{ service: "shop_db", condition: "healthy", required: true }],
  });
  const db = service("db", { initialReplicas: 0 });

  test("holds back what is to be made again, and neither stops nor keeps from starting what is there", () => {
    const replicas = [replica("web", 1), replica("web", 2, "exited", { exitCode: 1 })];
    assert.deepEqual(planText({ services: [dependent, db], desired: { web: 3 }, replicas }), [
      "0 start shop_web 2: it ended with status 1",
      "hold shop_web: waits for db to be healthy",
    ]);
  });
});
