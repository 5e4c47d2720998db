import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allBalancers } from "./traffic-balancers.ts";
import { type Replica, Stage } from "./traffic-stage.ts";

/** Whether it is over, and when it was. */
function watched(work: Promise<void>) {
  const state = { isOver: false };
  const done = work.then(() => {
    state.isOver = true;
  });
  return { state, done };
}

function oneOf(stage: Stage, id: string): Replica {
  const replica = stage.replicas.find((one) => one.id === id);
  assert.ok(replica !== undefined);
  return replica;
}

for (const program of allBalancers()) {
  const { name, skip } = program;

  describe(`leaving ${name}`, { skip }, () => {
    test("a replica finishes a long request, and gets nothing new meanwhile", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2);
      const long = stage.get("/slow/1500");
      await stage.until(() => stage.replicas.some(({ requests }) => requests > 0));
      const leaving = stage.replicas.find(({ requests }) => requests > 0);
      assert.ok(leaving !== undefined);
      const { state, done } = watched(stage.traffic.drain(leaving.id, 20_000));
      await stage.until(async () => !(await stage.open()).includes(leaving.id));
      for (let round = 0; round < 20; round += 1) assert.notEqual((await stage.get()).body, leaving.id);
      assert.equal(state.isOver, false);
      const { status, body } = await long;
      assert.deepEqual([status, body], [200, leaving.id]);
      await done;
      assert.equal(leaving.requests, 1);
    });

    test("a websocket goes on until it ends by itself, or the grace does", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      const [short, long] = [await stage.websocket(), await stage.websocket()];
      const leaving = oneOf(stage, "web-1");
      await stage.add("web-2");
      stage.tell();
      await stage.until(async () => (await stage.open()).includes("web-2"));
      const { state, done } = watched(stage.traffic.drain(leaving.id, 1_500));
      await stage.until(async () => !(await stage.open()).includes("web-1"));
      assert.equal(await short.echoes(), true);
      short.close();
      await sleep(300);
      assert.equal(state.isOver, false);
      assert.equal(await long.echoes(), true);
      await done;
      assert.equal(long.isOpen, true, "what is left is for the stop to end");
      long.close();
    });

    test("a connection that a reload has left in an old worker is waited for", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      const socket = await stage.websocket();
      stage.services = stage.services.map((service) => ({
        ...service,
        traffic: {
          doors: [{ mode: "http", port: 80, domains: [], path: "/" }],
          sticky: true,
          timeoutMs: 30_000,
        },
      }));
      stage.tell();
      await stage.until(() => stage.traffic.status().reloads === 1);
      assert.equal(await socket.echoes(), true);
      const { state, done } = watched(stage.traffic.drain("web-1", 20_000));
      await stage.until(async () => !(await stage.open()).includes("web-1"));
      await sleep(300);
      assert.equal(state.isOver, false);
      socket.close();
      await done;
    });

    test("a client that comes back with its cookie is given to another replica", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(2, { sticky: true });
      const cookieOf = (headers: { "set-cookie"?: string[] | undefined }) =>
        headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
      const first = await stage.get();
      const cookie = cookieOf(first.headers);
      assert.match(cookie, /^flyball\.shop_web\.80=.+/);
      for (let round = 0; round < 10; round += 1) {
        assert.equal((await stage.get("/", { headers: { cookie } })).body, first.body);
      }
      // One that was added while HAProxy ran has a cookie of its own as well.
      await stage.add("web-3");
      stage.tell();
      await stage.until(async () => (await stage.open()).includes("web-3"));
      let third = await stage.get();
      await stage.until(async () => {
        third = await stage.get();
        return third.body === "web-3";
      });
      for (let round = 0; round < 10; round += 1) {
        const headers = { cookie: cookieOf(third.headers) };
        assert.equal((await stage.get("/", { headers })).body, "web-3");
      }
      await stage.traffic.drain(first.body, 5_000);
      assert.notEqual((await stage.get("/", { headers: { cookie } })).body, first.body);
    });

    test("a replica that was not stopped after all takes requests again when the drain is given up", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      const socket = await stage.websocket();
      const given = new AbortController();
      const { done } = watched(stage.traffic.drain("web-1", 20_000, given.signal));
      await stage.until(async () => (await stage.open()).length === 0);
      given.abort();
      await done;
      await stage.until(async () => (await stage.open()).includes("web-1"));
      assert.equal((await stage.get()).status, 200);
      socket.close();
    });
  });
}
