import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject, eventually, openLabEngine } from "./docker-project.ts";
import { tinyRegistry } from "./tiny-registry.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

if (skip !== false) test("replicas on a Docker engine", { skip }, () => {});

for (const lab of engines) {
  describe(`replicas on Docker ${lab.name}`, () => {
    test("docker compose lists the three replicas that were made from the template, and takes them down", async () => {
      await using on = await DockerProject.open(lab, "three");
      on.define({ web: { labels: { "business.team": "checkout" } } });
      on.write("compose.yaml", "services: { web: { image: flyball/busybox:lab } }\n");
      await on.createNetworks();
      for (const slot of [1, 2, 3]) await on.createAndStart("web", slot);

      const replicas = await on.replicas();
      assert.deepEqual(
        replicas.map(({ slot, name, state, origin, templateHash }) => ({
          slot,
          name,
          state,
          origin,
          templateHash,
        })),
        [1, 2, 3].map((slot) => ({
          slot,
          name: `${on.name}-web-${slot}`,
          state: "running",
          origin: "flyball",
          templateHash: "hash-1",
        })),
      );
      assert.ok(replicas.every(({ pid, startedAtMs, readyAtMs }) => pid && startedAtMs && readyAtMs));
      assert.deepEqual(
        await on.composePs(),
        [1, 2, 3].map((slot) => `${on.name}-web-${slot}`),
      );

      await on.compose("down");
      assert.deepEqual(await on.containers(), []);
      const after = await on.engine.observe([on.project], AbortSignal.timeout(30_000));
      assert.deepEqual(after.replicas, []);
      assert.deepEqual(after.networks, []);
      assert.equal(after.complete, true);
    });

    test("doing again what is done already succeeds", async () => {
      await using on = await DockerProject.open(lab, "again");
      on.define({ web: {} });
      const web = { service: `${on.name}_web`, slot: 1 };
      await on.createNetworks();
      await on.createNetworks();
      const id = await on.do({ kind: "create-replica", ...web });
      assert.equal(await on.do({ kind: "create-replica", ...web }), id);
      assert.ok(id);
      assert.deepEqual(
        (await on.replicas()).map(({ state }) => state),
        ["created"],
      );
      for (const kind of ["start-replica", "stop-replica", "remove-replica"] as const) {
        await on.do({ kind, ...web, replica: id });
        await on.do({ kind, ...web, replica: id });
      }
      assert.deepEqual(await on.containers(), []);
    });

    test("a running replica is removed too, and its anonymous volumes go with it", async () => {
      await using on = await DockerProject.open(lab, "volumes");
      on.define({
        web: {
          mounts: [
            { type: "volume", target: "/data", readOnly: false },
            { type: "volume", source: `${on.name}_kept`, target: "/kept", readOnly: false },
            { type: "tmpfs", target: "/scratch", readOnly: false, tmpfsSizeBytes: 1 << 20 },
            {
              type: "bind",
              source: `${on.directory}/made/by/engine`,
              target: "/bound",
              readOnly: true,
              createHostPath: true,
            },
          ],
        },
      });
      on.project = {
        ...on.project,
        volumes: [{ key: "kept", name: `${on.name}_kept`, external: false, driverOptions: {}, labels: {} }],
      };
      await on.createNetworks();
      for (const _ of ["once", "again"]) {
        await on.do({ kind: "create-volume", project: on.name, volume: `${on.name}_kept` });
      }
      const id = await on.createAndStart("web", 1);
      const { Mounts } = await on.docker.getContainer(id).inspect();
      const anonymous = Mounts.find(({ Destination }) => Destination === "/data")?.Name;
      assert.ok(anonymous);

      await on.do({ kind: "remove-replica", service: `${on.name}_web`, slot: 1, replica: id });
      const volumes = (await on.docker.listVolumes()).Volumes.map(({ Name }) => Name);
      assert.equal(volumes.includes(anonymous), false);
      assert.equal(volumes.includes(`${on.name}_kept`), true);
      assert.deepEqual((await on.engine.observe([on.project], AbortSignal.timeout(30_000))).volumes, [
        `${on.name}_kept`,
      ]);
    });

    test("a port that somebody has already leaves nothing behind, and the engine's words name it", async () => {
      await using on = await DockerProject.open(lab, "port");
      await using taken = await takenPort();
      on.define({ web: { ports: [{ target: 80, protocol: "tcp", published: String(taken.port) }] } });
      await on.createNetworks();
      await assert.rejects(on.createAndStart("web", 2), (error) => {
        assert.ok(isFlyballError(error));
        assert.equal(error.code, "ENGINE_REFUSED");
        assert.match(error.message, new RegExp(`_web, slot 2: .*(${taken.port}).*in use`, "u"));
        return true;
      });
      assert.deepEqual(await on.containers(), []);
    });

    test("replicas started together take different ports of a range, and one too many leaves nothing", async () => {
      await using on = await DockerProject.open(lab, "range");
      await using first = await takenPort();
      const range = `${first.port}-${first.port + 3}`;
      on.define({ web: { ports: [{ target: 80, protocol: "tcp", published: range, hostIp: "127.0.0.1" }] } });
      await on.createNetworks();
      const started = await Promise.allSettled([1, 2, 3, 4].map((slot) => on.createAndStart("web", slot)));
      const running = await on.replicas();
      const ports = running.map(({ endpoints }) => endpoints[0]?.port);
      assert.equal(new Set(ports).size, ports.length);
      assert.equal(running.length, started.filter(({ status }) => status === "fulfilled").length);
      // The first port of the range is taken by this test.
      assert.ok(running.length > 0 && running.length < 4, `${running.length} started`);
    });

    test("a pull ends when the image is there, and fails with the engine's reason", async () => {
      await using on = await DockerProject.open(lab, "pull");
      await using registry = await tinyRegistry();
      const image = `${registry.host}/shop/tiny`;
      on.define({ web: { image } });
      const images = async () => (await on.engine.observe([on.project], AbortSignal.timeout(30_000))).images;
      assert.deepEqual(await images(), []);
      await on.do({ kind: "pull-image", image });
      assert.deepEqual(await images(), [image]);
      await on.docker.getImage(image).remove({ force: true });
      const refused = (reference: string, reason: RegExp) =>
        assert.rejects(on.do({ kind: "pull-image", image: reference }), (error) => {
          assert.ok(isFlyballError(error));
          assert.equal(error.code, "ENGINE_REFUSED");
          assert.ok(error.message.startsWith(`pull ${reference}: `), error.message);
          assert.match(error.message, reason);
          return true;
        });
      await refused("127.0.0.1:1/shop/none", /connection refused/u);
      // The engine has said 200 by then.
      await refused(`${registry.host}/shop/torn`, /not found|unknown|404/u);
    });

    test("the environment's DOCKER_HOST does not lead elsewhere than asked", async () => {
      await using on = await DockerProject.open(lab, "env");
      on.define({ web: {} });
      const before = process.env["DOCKER_HOST"];
      process.env["DOCKER_HOST"] = "tcp://127.0.0.1:1";
      try {
        await using engine = await openLabEngine(lab.socketPath);
        const { complete } = await engine.observe([on.project], AbortSignal.timeout(30_000));
        assert.equal(complete, true);
      } finally {
        if (before === undefined) delete process.env["DOCKER_HOST"];
        else process.env["DOCKER_HOST"] = before;
      }
    });

    test("a replica is in both of its networks, under its service's name", async () => {
      await using on = await DockerProject.open(lab, "nets");
      on.define({ web: {}, asker: {} }, ["front", "back"]);
      await on.createNetworks();
      const id = await on.createAndStart("web", 1);
      const { NetworkSettings } = await on.docker.getContainer(id).inspect();
      assert.deepEqual(Object.keys(NetworkSettings.Networks).sort(), [`${on.name}_back`, `${on.name}_front`]);
      for (const network of Object.values(NetworkSettings.Networks)) {
        assert.deepEqual(network.Aliases?.slice(0, 2), [`${on.name}-web-1`, "web"]);
      }
    });

    test("a creation cut short before its second network is finished by the start", async () => {
      await using on = await DockerProject.open(lab, "half");
      on.define({ web: {} }, ["front", "back"]);
      await on.createNetworks();
      const web = { service: `${on.name}_web`, slot: 1 };
      const id = await on.do({ kind: "create-replica", ...web });
      assert.ok(id);
      await on.docker.getNetwork(`${on.name}_back`).disconnect({ Container: id });
      await on.do({ kind: "start-replica", ...web, replica: id });
      const { NetworkSettings } = await on.docker.getContainer(id).inspect();
      assert.deepEqual(Object.keys(NetworkSettings.Networks).sort(), [`${on.name}_back`, `${on.name}_front`]);
    });

    test("a failure after the creation removes what was created", async () => {
      await using on = await DockerProject.open(lab, "undone");
      on.define({ web: {} }, ["front", "back"]);
      // The second network is missing.
      await on.do({ kind: "create-network", project: on.name, network: `${on.name}_front` });
      await assert.rejects(on.createAndStart("web", 1), /network .*_back not found/u);
      assert.deepEqual(await on.containers(), []);
    });

    test("killed by hand shows as exited with its status; while it stops, as stopping", async () => {
      await using on = await DockerProject.open(lab, "killed");
      on.define({
        web: {},
        slow: {
          command: ["sh", "-c", "trap 'sleep 1; exit 7' TERM; while :; do sleep 0.1; done"],
          stopGraceMs: 9_500,
        },
      });
      await on.createNetworks();
      const killed = await on.createAndStart("web", 1);
      const slow = await on.createAndStart("slow", 1);
      await on.docker.getContainer(killed).kill();
      const stopped = on.do({ kind: "stop-replica", service: `${on.name}_slow`, slot: 1, replica: slow });
      const stateOf = async (id: string) => (await on.replicas()).find((replica) => replica.id === id)?.state;
      await eventually("the killed one is exited", async () => (await stateOf(killed)) === "exited");
      assert.equal(await stateOf(slow), "stopping");
      await stopped;
      const byId = new Map((await on.replicas()).map((replica) => [replica.id, replica]));
      assert.equal(byId.get(killed)?.exitCode, 137);
      assert.equal(byId.get(slow)?.state, "exited");
      assert.equal(byId.get(slow)?.exitCode, 7);
      assert.ok(byId.get(slow)?.exitedAtMs);
      assert.equal(byId.get(slow)?.pid, undefined);
    });

    test("a healthcheck keeps a replica starting until it passes, and endpoints lead to it", async () => {
      await using on = await DockerProject.open(lab, "health");
      on.define({
        web: {
          command: ["sh", "-c", "echo ready > /www/index.html; exec httpd -f -p 80 -h /www"],
          ports: [{ target: 80, protocol: "tcp" }],
          healthcheck: {
            test: ["CMD-SHELL", "test -e /tmp/well"],
            intervalMs: 200,
            timeoutMs: 5_000,
            retries: 1000,
            startPeriodMs: 0,
          },
        },
        inner: {
          command: ["sh", "-c", "echo inner > /www/index.html; exec httpd -f -p 8080 -h /www"],
          exposedPorts: ["8080"],
        },
      });
      await on.createNetworks();
      const id = await on.createAndStart("web", 1);
      await on.createAndStart("inner", 1);
      const web = async () => (await on.replicas()).find((replica) => replica.id === id);
      assert.equal((await web())?.state, "starting");
      assert.equal((await web())?.readyAtMs, undefined);
      const exec = await on.docker.getContainer(id).exec({ Cmd: ["touch", "/tmp/well"] });
      (await exec.start({ Detach: true })).resume();
      await eventually("it is ready", async () => (await web())?.state === "running");
      const readyAtMs = (await web())?.readyAtMs;
      assert.ok(readyAtMs);
      assert.equal((await web())?.readyAtMs, readyAtMs);

      for (const [service, text] of [
        ["web", "ready"],
        ["inner", "inner"],
      ] as const) {
        const replica = (await on.replicas()).find((each) => each.service === `${on.name}_${service}`);
        const [endpoint] = replica?.endpoints ?? [];
        assert.ok(endpoint, `${service} has an endpoint`);
        const answer = await fetch(`http://${endpoint.host}:${endpoint.port}/`);
        assert.equal((await answer.text()).trim(), text);
      }
    });

    test("the last lines of both streams, without the engine's framing, and of a terminal", async () => {
      await using on = await DockerProject.open(lab, "logs");
      const command = ["sh", "-c", "echo one; echo two >&2; sleep 0.2; echo '{\"three\":3}'; sleep 1000"];
      on.define({ web: { command }, tty: { command, container: { tty: true } } });
      await on.createNetworks();
      for (const [service, newline] of [
        ["web", "\n"],
        ["tty", "\r\n"],
      ] as const) {
        const id = await on.createAndStart(service, 1);
        const read = (lines: number) => on.engine.logs(id, `${on.name}_${service}`, lines);
        await eventually("all is written", async () => (await read(10)).includes("three"));
        assert.equal(await read(1), `{"three":3}${newline}`);
        assert.deepEqual((await read(10)).trim().split(newline).sort(), ["one", "two", '{"three":3}'].sort());
      }
    });

    test("an image that nobody has is refused by its name", async () => {
      await using on = await DockerProject.open(lab, "image");
      on.define({ web: { image: "flyball/none:such" } });
      await assert.rejects(on.createAndStart("web", 1), /_web.* no image flyball\/none:such/u);
      const { images } = await on.engine.observe([on.project], AbortSignal.timeout(30_000));
      assert.deepEqual(images, []);
    });
  });
}

/** A port of this machine with somebody listening. */
async function takenPort(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
