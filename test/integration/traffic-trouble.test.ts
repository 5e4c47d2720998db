import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../traffic/haproxy/alive.ts";
import { maySleep } from "../traffic/builders.ts";
import { allBalancers, BUILT_IN, haproxyBalancers } from "./traffic-balancers.ts";
import { Stage, serviceWith } from "./traffic-stage.ts";

const door = { mode: "http" as const, port: 80, path: "/" };

for (const program of haproxyBalancers()) {
  const { name, skip } = program;

  describe(`${name}, which outlives the daemon and may die before it`, { skip }, () => {
    test("killed, its master or its worker, it is started again with everybody who serves", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2);
      // By a command, so that the file of the start does not have it.
      await stage.add("web-3");
      stage.tell();
      await stage.until(async () => (await stage.open()).length === 3);
      for (const [round, which] of ["master", "worker"].entries()) {
        const { masterPid, workers } = await stage.processes();
        const pid = which === "master" ? masterPid : workers[0];
        assert.ok(pid !== undefined);
        process.kill(pid, "SIGKILL");
        await stage.until(() => !isAlive(masterPid));
        await stage.until(() =>
          stage.get().then(
            ({ status }) => status === 200,
            () => false,
          ),
        );
        assert.equal((await stage.open()).length, 3);
        await stage.until(() => stage.traffic.status().restarts === round + 1);
      }
    });

    test("it goes on without the daemon, and the next one takes it over: nothing is cut, nobody ramps up", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2);
      const socket = await stage.websocket();
      const before = await stage.processes();
      await stage.traffic[Symbol.asyncDispose]();
      assert.equal((await stage.get()).status, 200);
      stage.traffic = stage.newTraffic();
      stage.traffic.start();
      await stage.add("web-3");
      stage.tell();
      await stage.until(async () => (await stage.open()).length === 3);
      assert.equal((await stage.processes()).masterPid, before.masterPid);
      assert.equal(stage.traffic.status().reloads, 0);
      const { servers } = await stage.traffic.running();
      const weights = servers.map(({ name: replica, weight }) => [replica, weight === 100]);
      assert.deepEqual(weights.sort(), [
        ["web-1", true],
        ["web-2", true],
        ["web-3", false],
      ]);
      assert.equal(await socket.echoes(), true);
      socket.close();
    });

    test("those who wait for a service that sleeps are led to where the next daemon holds them", async () => {
      await using stage = await Stage.open(program);
      stage.services = [{ ...serviceWith("shop_web"), scaling: maySleep(60_000) }];
      stage.tell();
      await stage.until(() => stage.traffic.status().state === "running");
      let reloads = 1;
      // Somebody else's connection may have the port by then, which is no fault of ours; but not every time.
      for (let round = 0; round < 4 && reloads > 0; round += 1) {
        await stage.traffic[Symbol.asyncDispose]();
        stage.traffic = stage.newTraffic();
        stage.traffic.start();
        stage.tell();
        await stage.until(() => stage.traffic.signsOfUse().has("shop_web"));
        reloads = stage.traffic.status().reloads;
      }
      assert.equal(reloads, 0);
      const held = stage.get();
      await stage.until(() => stage.traffic.signsOfUse().get("shop_web")?.waiting === 1);
      await stage.add("web-1");
      stage.tell();
      assert.equal((await held).body, "web-1");
    });

    test("a configuration that it refuses replaces nothing, and servers come and go all the same", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      // No label can say this; a defect of ours could.
      const refused = { doors: [{ ...door, domains: [] }], sticky: false, timeoutMs: -1 };
      stage.services = [
        ...stage.services,
        serviceWith("shop_bad", { ...refused, doors: [{ ...door, domains: ["bad.example"] }] }),
      ];
      await stage.add("web-2");
      stage.tell();
      await stage.until(() => stage.traffic.status().state === "trouble");
      assert.match(stage.traffic.status().reason ?? "", /HAProxy refuses the configuration: .*timeout/);
      assert.equal((await stage.get()).status, 200);
      await stage.until(async () => (await stage.open()).length === 2);
      stage.services = stage.services.slice(0, 1);
      stage.tell();
      await stage.until(() => stage.traffic.status().state === "running");
      assert.equal(stage.traffic.status().reloads, 0);
    });
  });
}

for (const program of allBalancers()) {
  const { name, skip } = program;

  describe(`trouble with ${name}`, { skip }, () => {
    test("a port that another program has is left out and said, and taken when it is free", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      const other = createServer().listen(0, "127.0.0.1");
      await once(other, "listening");
      const { port } = other.address() as { port: number };
      const own = { ...door, domains: [], listen: { port } };
      stage.services = [...stage.services, serviceWith("shop_api", { doors: [own] })];
      await stage.add("api-1", "shop_api");
      stage.tell();
      await stage.until(() => stage.traffic.status().held.length === 1);
      assert.deepEqual(stage.traffic.status().held, [
        {
          service: "shop_api",
          what: `127.0.0.1:${port}`,
          reason: `another program listens on 127.0.0.1:${port}`,
        },
      ]);
      assert.equal((await stage.get()).status, 200);
      other.close();
      await once(other, "close");
      await stage.until(() => stage.traffic.status().held.length === 0);
      await stage.until(() =>
        fetch(`http://127.0.0.1:${port}/`).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
    });

    test("the shared port is taken from the start: said, and served as soon as it is free", async () => {
      await using stage = await Stage.open(program);
      const other = createServer().listen(stage.port, "127.0.0.1");
      await once(other, "listening");
      stage.services = [serviceWith("shop_web")];
      await stage.add("web-1");
      stage.tell();
      await stage.until(() => stage.traffic.status().held.length === 1);
      other.close();
      await once(other, "close");
      await stage.until(() =>
        stage.get().then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
    });

    test("a replica that accepts and never answers costs its own requests, each of them no longer than is said", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2, { timeoutMs: 1_000 });
      const asked = await Promise.all(
        Array.from({ length: 4 }, () => stage.get("/never").then(({ status }) => status)),
      );
      assert.deepEqual(asked, [504, 504, 504, 504]);
      assert.equal((await stage.get()).status, 200);
    });

    test("a replica that ends unasked costs no request that may be sent twice", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2);
      const slow = Array.from({ length: 6 }, () => stage.get("/slow/700"));
      await stage.until(() => stage.replicas.every(({ requests }) => requests > 0));
      const [gone] = stage.replicas;
      assert.ok(gone !== undefined);
      await gone[Symbol.asyncDispose]();
      const statuses = (await Promise.all(slow)).map(({ status }) => status);
      assert.deepEqual(statuses, [200, 200, 200, 200, 200, 200]);
      for (let round = 0; round < 10; round += 1) assert.equal((await stage.get()).body, "web-2");
    });

    test("a replica that flaps between ready and not brings no reload and no failed request", async () => {
      await using stage = await Stage.open(program);
      const [, flapping] = await stage.serve(2);
      assert.ok(flapping !== undefined);
      const statuses = new Set<number>();
      let isFlapping = true;
      const asking = (async () => {
        while (isFlapping) statuses.add((await stage.get("/", { agent: stage.agent })).status);
      })();
      for (let round = 0; round < 40; round += 1) {
        flapping.state = round % 2 === 0 ? "unhealthy" : "running";
        stage.tell();
        await sleep(20);
      }
      await stage.until(async () => (await stage.open()).length === 2);
      isFlapping = false;
      await asking;
      assert.deepEqual([...statuses], [200]);
      assert.equal(stage.traffic.status().reloads, 0);
    });

    test("a hundred services that change at once are one reload, and each is found by its name", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1, { doors: [{ ...door, domains: ["first.example"] }] });
      const replica = await stage.add("many-1", "shop_many");
      const names = Array.from({ length: 100 }, (_, index) => `shop_s${index}`);
      stage.services = [
        ...stage.services,
        ...names.map((name) =>
          serviceWith(name, { doors: [{ ...door, domains: [`${name.slice(5)}.example`] }] }),
        ),
      ];
      const many = names.map((name) => ({ ...replica.observed(), id: `of-${name}`, service: name }));
      const replicas = [...stage.replicas.map((one) => one.observed()), ...many];
      stage.tell({ replicas });
      await stage.until(() => stage.traffic.status().reloads === 1);
      await stage.until(async () => (await stage.open()).length === 101);
      for (const name of ["s0", "s57", "s99"]) {
        assert.equal((await stage.get("/", { host: `${name}.example` })).body, "many-1");
      }
      assert.equal((await stage.get("/", { host: "s100.example" })).status, 404);
      assert.equal(stage.traffic.status().reloads, 1);
      const services = stage.services.map((service) => ({
        ...service,
        ...(service.traffic === undefined ? {} : { traffic: { ...service.traffic, timeoutMs: 5_000 } }),
      }));
      stage.tell({ services, replicas });
      await stage.until(() => stage.traffic.status().reloads === 2);
      assert.equal((await stage.get("/", { host: "s57.example" })).body, "many-1");
    });
  });
}

describe("without HAProxy", () => {
  test("that is new enough, the daemon leads requests itself", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flyball-old-"));
    try {
      const path = join(directory, "haproxy");
      writeFileSync(path, "#!/bin/sh\necho 'HA-Proxy version 2.2.9-2+deb11u6 2023/12/03'\n", { mode: 0o755 });
      await using stage = await Stage.open({ ...BUILT_IN, path });
      await stage.serve(1);
      assert.equal(stage.traffic.status().balancer, "the built-in balancer");
      assert.equal((await stage.get()).status, 200);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("the daemon leads requests itself, and ends them with itself: those under way are answered first", async () => {
    await using stage = await Stage.open(BUILT_IN);
    await stage.serve(2);
    const { state, balancer } = stage.traffic.status();
    assert.deepEqual([state, balancer], ["running", "the built-in balancer"]);
    const socket = await stage.websocket();
    const slow = stage.get("/slow/500");
    await stage.until(() => stage.replicas.some(({ requests }) => requests > 0));
    await stage.traffic[Symbol.asyncDispose]();
    assert.equal((await slow).status, 200);
    await stage.until(() => !socket.isOpen);
    await assert.rejects(stage.get());
  });
});
