import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allBalancers } from "./traffic-balancers.ts";
import { Stage, serviceWith } from "./traffic-stage.ts";

for (const program of allBalancers()) {
  const { name, skip } = program;

  describe(`replicas behind ${name}`, { skip }, () => {
    test("take requests when they are ready, and not before", async () => {
      await using stage = await Stage.open(program);
      stage.services = [serviceWith("shop_web")];
      const replica = await stage.add("web-1");
      replica.state = "starting";
      stage.tell();
      await stage.until(() =>
        stage.get().then(
          ({ status }) => status === 503,
          () => false,
        ),
      );
      replica.state = "running";
      stage.tell();
      await stage.until(() => stage.get().then(({ status }) => status === 200));
      assert.equal((await stage.get()).body, "web-1");
      assert.equal(stage.traffic.status().state, "running");
      assert.equal(stage.traffic.status().reloads, 0);
    });

    test("of two templates take the shares of each, however many they are", async () => {
      await using stage = await Stage.open(program);
      stage.services = [serviceWith("shop_web")];
      for (const id of ["web-1", "web-2", "web-3"]) await stage.add(id);
      const hashOf = (id: string) => (id === "web-3" ? "new" : "old");
      const tell = () =>
        stage.tell({
          replicas: stage.replicas.map((one) => ({ ...one.observed(), templateHash: hashOf(one.id) })),
          shares: new Map([
            [
              "shop_web",
              new Map([
                ["old", 0.8],
                ["new", 0.2],
              ]),
            ],
          ]),
        });
      tell();
      await stage.until(async () => (await stage.open()).length === 3);
      const took = new Map<string, number>();
      for (let round = 0; round < 100; round += 1) {
        const { body } = await stage.get();
        took.set(hashOf(body), (took.get(hashOf(body)) ?? 0) + 1);
      }
      const ofNew = took.get("new") ?? 0;
      assert.ok(ofNew >= 15 && ofNew <= 25, `${ofNew} of 100`);
    });

    test("come and go by commands alone, and share the requests", async () => {
      await using stage = await Stage.open(program);
      await stage.serve(1);
      for (const name of ["web-2", "web-3"]) await stage.add(name);
      stage.tell();
      await stage.until(async () => (await stage.open()).length === 3);
      await stage.until(async () => (await stage.get()).body === "web-3");
      const [first] = stage.replicas;
      assert.ok(first !== undefined);
      await stage.traffic.drain(first.id, 5_000);
      await stage.remove(first);
      await stage.until(async () => (await stage.traffic.running()).servers.length === 2);
      for (let round = 0; round < 20; round += 1) assert.equal((await stage.get()).status, 200);
      assert.equal(stage.traffic.status().reloads, 0);
    });
  });
}
