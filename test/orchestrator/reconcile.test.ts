import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  composeReplica,
  NOW_MS,
  network,
  planText,
  replica,
  STOP_FIRST,
  service,
  template,
} from "./builders.ts";

const web = service("web");

describe("the count", () => {
  test("a service with nothing running gets its replicas, each created and then started", () => {
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas: [] }), [
      "0 create shop_web 1: web should have 2, not 0",
      "1 start shop_web 1 (after 0): web should have 2, not 0",
      "2 create shop_web 2: web should have 2, not 0",
      "3 start shop_web 2 (after 2): web should have 2, not 0",
    ]);
  });

  test("what is as it should be leaves nothing to do", () => {
    assert.deepEqual(planText({ services: [web], replicas: [replica("web", 1)] }), []);
  });

  test("a replica that somebody removed comes back in the lowest free slot", () => {
    assert.deepEqual(
      planText({ services: [web], desired: { web: 3 }, replicas: [replica("web", 1), replica("web", 3)] }),
      [
        "0 create shop_web 2: web should have 3, not 2",
        "1 start shop_web 2 (after 0): web should have 3, not 2",
      ],
    );
  });

  test("scale-in takes the highest slot, stops it and then removes it", () => {
    const replicas = [replica("web", 3), replica("web", 1), replica("web", 2)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas }), [
      "0 stop shop_web 3: web should have 2, not 3; 3 has the highest number",
      "1 remove shop_web 3 (after 0): web should have 2, not 3; 3 has the highest number",
    ]);
  });

  test("scale-in takes a replica that does not serve before one that does", () => {
    const replicas = [replica("web", 1, "unhealthy"), replica("web", 2), replica("web", 3)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas }), [
      "0 stop shop_web 1: web should have 2, not 3; 1 is not ready (unhealthy)",
      "1 remove shop_web 1 (after 0): web should have 2, not 3; 1 is not ready (unhealthy)",
    ]);
  });

  test("a replica that has ended is removed without being stopped", () => {
    const replicas = [replica("web", 1), replica("web", 2, "exited")];
    assert.deepEqual(planText({ services: [web], replicas }), [
      "0 remove shop_web 2: web should have 1, not 2; 2 is not ready (exited)",
    ]);
  });

  test("a replica that is stopping neither counts nor gives up its slot", () => {
    const replicas = [replica("web", 1, "stopping"), replica("web", 2)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas }), [
      "0 create shop_web 3: web should have 2, not 1",
      "1 start shop_web 3 (after 0): web should have 2, not 1",
    ]);
  });

  test("a service that cannot have two replicas is kept at one and says why", () => {
    const single = service("web", { singleReplicaReason: "host port 80 is fixed" });
    assert.deepEqual(planText({ services: [single], desired: { web: 3 }, replicas: [replica("web", 1)] }), [
      "hold shop_web: cannot have 3 replicas: host port 80 is fixed",
    ]);
  });

  test("slots that running actions bring or take away are left to them", () => {
    const inFlight = { arriving: new Set(["shop_web#2"]), leaving: new Set(["shop_web#3"]) };
    const replicas = [replica("web", 1), replica("web", 3)];
    assert.deepEqual(planText({ services: [web], desired: { web: 2 }, replicas, inFlight }), []);
  });
});

describe("what compose made", () => {
  test("is adopted as it is", () => {
    assert.deepEqual(planText({ services: [web], replicas: [composeReplica("web", 1)] }), []);
  });

  test("is what a new replica is copied from, the lowest number first", () => {
    const replicas = [composeReplica("web", 2), composeReplica("web", 1)];
    assert.deepEqual(planText({ services: [web], desired: { web: 3 }, replicas }), [
      "0 create shop_web 3: web should have 3, not 2 (a copy of shop-web-1)",
      "1 start shop_web 3 (after 0): web should have 3, not 2",
    ]);
  });

  test("is left alone when the files no longer name its service, while what Flyball made goes", () => {
    const replicas = [composeReplica("old", 1), replica("old", 2), replica("web", 1)];
    assert.deepEqual(planText({ services: [web], replicas }), [
      "0 stop shop_old 2: its service is no longer in the project",
      "1 remove shop_old 2 (after 0): its service is no longer in the project",
      "hold shop_old 1: is not in the project's files; compose made it, so it is left alone",
    ]);
  });
});

describe("the states a replica can be in", () => {
  test("one that was created and never started is started", () => {
    assert.deepEqual(planText({ services: [web], replicas: [replica("web", 1, "created")] }), [
      "0 start shop_web 1: it was created and never started",
    ]);
  });

  test("one that three starts have not brought to run is made anew; compose's own is left to its turn", () => {
    const reason = "it was started and does not run";
    const failed = { failures: 3, lastAtMs: NOW_MS - 10_000, reason, delayMs: 1_000 };
    const attempts = new Map([["shop_web#1", failed]]);
    assert.deepEqual(planText({ services: [web], replicas: [replica("web", 1, "created")], attempts }), [
      "0 remove shop_web 1: it was started 3 times and does not run",
      "1 create shop_web 1 (after 0): it was started 3 times and does not run",
      "2 start shop_web 1 (after 1): it was started 3 times and does not run",
    ]);
    assert.deepEqual(
      planText({ services: [web], replicas: [composeReplica("web", 1, "created")], attempts }),
      ["0 start shop_web 1: it was created and never started"],
    );
  });

  test("one that ended is started again, with its status for a cause", () => {
    assert.deepEqual(
      planText({ services: [web], replicas: [replica("web", 1, "exited", { exitCode: 3 })] }),
      ["0 start shop_web 1: it ended with status 3"],
    );
  });

  test("one that the kernel ended for its memory says so", () => {
    const ended = replica("web", 1, "exited", { exitCode: 137, oomKilled: true });
    assert.deepEqual(planText({ services: [web], replicas: [ended] }), [
      "0 start shop_web 1: it ran out of memory",
    ]);
  });

  test("one that may end is left to have ended", () => {
    const once = service("web", {
      template: template({ restart: { condition: "on-failure", delayMs: 1_000 } }),
    });
    assert.deepEqual(
      planText({ services: [once], replicas: [replica("web", 1, "exited", { exitCode: 0 })] }),
      ["hold shop_web 1: ended, and restart is on-failure"],
    );
  });

  test("one whose removal a killed daemon had begun, and that is wanted again, is started again", () => {
    const once = service("web", { template: template({ restart: { condition: "none", delayMs: 1_000 } }) });
    const replicas = [replica("web", 1), replica("web", 2, "exited", { exitCode: 0 })];
    const takenAway = new Set(replicas.slice(1).map(({ id }) => id));
    assert.deepEqual(planText({ services: [once], desired: { web: 2 }, replicas, takenAway }), [
      "0 start shop_web 2: its removal was begun, and it is wanted again",
    ]);
    assert.deepEqual(planText({ services: [once], desired: { web: 2 }, replicas }), [
      "hold shop_web 2: ended, and restart is none",
    ]);
  });

  test("one that failed lately waits for its turn, and twice as long after each failure", () => {
    const attempts = new Map([
      [
        "shop_web#1",
        { failures: 3, lastAtMs: NOW_MS - 1_000, reason: "it ended with status 1", delayMs: 1_000 },
      ],
    ]);
    const replicas = [replica("web", 1, "exited", { exitCode: 1 })];
    assert.deepEqual(planText({ services: [web], replicas, attempts }), [
      "hold shop_web 1: failed 3 times in a row (it ended with status 1); tried again in 3s",
    ]);
  });

  test("one that has used up its attempts is left", () => {
    const patient = template({ restart: { condition: "any", delayMs: 1_000, maxAttempts: 2 } });
    const attempts = new Map([
      ["shop_web#1", { failures: 2, lastAtMs: 0, reason: "it ended", delayMs: 1_000 }],
    ]);
    const replicas = [replica("web", 1, "exited", { exitCode: 1 })];
    assert.deepEqual(planText({ services: [service("web", { template: patient })], replicas, attempts }), [
      "hold shop_web 1: ended 2 times and is not restarted again",
    ]);
  });

  test("one that a person paused is left", () => {
    assert.deepEqual(planText({ services: [web], replicas: [replica("web", 1, "paused")] }), [
      "hold shop_web 1: was paused by somebody",
    ]);
  });
});

describe("what a replica needs first", () => {
  const needy = service("web", {
    template: template({
      image: "shop/web:1",
      networks: [{ network: "shop_default", aliases: [] }],
      mounts: [{ type: "volume", source: "shop_data", target: "/data", readOnly: false }],
    }),
  });
  const volume = { key: "data", name: "shop_data", external: false, driverOptions: {}, labels: {} };
  const whole = { networks: [network()], volumes: [volume] };

  test("image, network and volume are made once, before the replicas that need them", () => {
    assert.deepEqual(planText({ services: [needy], desired: { web: 2 }, replicas: [], project: whole }), [
      "0 pull shop/web:1: web needs it",
      "1 create network shop_default: web needs it",
      "2 create volume shop_data: web needs it",
      "3 create shop_web 1 (after 0, 1, 2): web should have 2, not 0",
      "4 start shop_web 1 (after 3): web should have 2, not 0",
      "5 create shop_web 2 (after 0, 1, 2): web should have 2, not 0",
      "6 start shop_web 2 (after 5): web should have 2, not 0",
    ]);
  });

  test("an external network that is not there is not made, and holds the service", () => {
    const seen = { images: ["shop/web:1"], volumes: ["shop_data"] };
    const external = { ...whole, networks: [network({ external: true })] };
    assert.deepEqual(planText({ services: [needy], replicas: [], seen, project: external }), [
      "hold shop_web: network shop_default is external and does not exist",
    ]);
  });

  test("an image that a running action pulls is waited for", () => {
    const seen = { networks: ["shop_default"], volumes: ["shop_data"] };
    const inFlight = { resources: new Set(["image:shop/web:1"]) };
    assert.deepEqual(planText({ services: [needy], replicas: [], seen, project: whole, inFlight }), [
      "hold shop_web: waits for image shop/web:1",
    ]);
  });

  test("an image that must not be pulled holds the service", () => {
    const never = service("web", {
      template: template({ image: "shop/web:1", container: { pullPolicy: "never" } }),
    });
    assert.deepEqual(planText({ services: [never], replicas: [] }), [
      "hold shop_web: image shop/web:1 is not there, and pull_policy is never",
    ]);
  });

  test("a dependency is waited for, and other services are not", () => {
    const dependent = service("web", {
      dependsOn: [{ service: "shop_db", condition: "healthy", required: true }],
    });
    assert.deepEqual(planText({ services: [dependent, service("db")], replicas: [] }), [
      "0 create shop_db 1: db should have 1, not 0",
      "1 start shop_db 1 (after 0): db should have 1, not 0",
      "hold shop_web: waits for db to be healthy",
    ]);
  });
});

describe("what could not be taken away", () => {
  const failed = { failures: 2, lastAtMs: NOW_MS - 500, reason: "it is busy", delayMs: 1_000 };

  test("is tried again in its turn, and other victims are not held up", () => {
    const attempts = new Map([["removal of shop_web#3", failed]]);
    const replicas = [1, 2, 3].map((slot) => replica("web", slot));
    assert.deepEqual(planText({ services: [web], replicas, attempts }), [
      "0 stop shop_web 2: web should have 1, not 3; 2 has the highest number",
      "1 remove shop_web 2 (after 0): web should have 1, not 3; 2 has the highest number",
      "hold shop_web 3: failed 2 times in a row (it is busy); tried again in 1.5s",
    ]);
  });

  test("is not followed by what should take its place", () => {
    const attempts = new Map([["removal of shop_web#1", failed]]);
    const replicas = [replica("web", 1, "running", { templateHash: "h0" })];
    assert.deepEqual(planText({ services: [service("web", STOP_FIRST)], replicas, attempts }), [
      "hold shop_web 1: failed 2 times in a row (it is busy); tried again in 1.5s",
    ]);
  });

  test("holds back the networks of a project that is removed", () => {
    const attempts = new Map([["removal of shop_web#1", failed]]);
    const networks = [network()];
    const seen = { networks: ["shop_default"] };
    const removal = { services: [web], seen, project: { networks }, removing: true };
    assert.deepEqual(planText({ ...removal, replicas: [replica("web", 1)], attempts }), [
      "hold shop_web 1: failed 2 times in a row (it is busy); tried again in 1.5s",
    ]);
    const ofNetwork = new Map([["removal of network:shop_default", failed]]);
    assert.deepEqual(planText({ ...removal, replicas: [], attempts: ofNetwork }), [
      "hold shop: failed 2 times in a row (it is busy); tried again in 1.5s",
    ]);
  });

  test("says nothing about a replica that crashes and is to go", () => {
    const attempts = new Map([["shop_web#2", failed]]);
    const replicas = [replica("web", 1), replica("web", 2, "exited", { exitCode: 1 })];
    assert.deepEqual(planText({ services: [web], replicas, attempts }), [
      "0 remove shop_web 2: web should have 1, not 2; 2 is not ready (exited)",
    ]);
  });
});

describe("caution", () => {
  test("an incomplete observation plans nothing, whatever it shows", () => {
    const replicas = [replica("web", 1), replica("web", 2)];
    assert.deepEqual(planText({ services: [web], replicas, seen: { complete: false } }), [
      "hold shop_web: the engine's state could not be read completely",
    ]);
  });

  test("a project that is removed loses every replica, then its own networks, and keeps its volumes", () => {
    const networks = [network()];
    const replicas = [replica("web", 1), composeReplica("db", 1)];
    const seen = { networks: ["shop_default"], volumes: ["shop_data"] };
    assert.deepEqual(planText({ services: [web], replicas, seen, project: { networks }, removing: true }), [
      "0 stop shop_db 1: the project is being removed",
      "1 remove shop_db 1 (after 0): the project is being removed",
      "2 stop shop_web 1: the project is being removed",
      "3 remove shop_web 1 (after 2): the project is being removed",
      "4 remove network shop_default (after 1, 3): the project is being removed",
    ]);
  });

  test("replicas of another project whose name begins the same are not touched", () => {
    const stranger = replica("web", 1, "running", { project: "shop_two", service: "shop_two_web" });
    assert.deepEqual(planText({ services: [web], replicas: [stranger, replica("web", 1)], removing: true }), [
      "0 stop shop_web 1: the project is being removed",
      "1 remove shop_web 1 (after 0): the project is being removed",
    ]);
  });
});
