import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { labEngines, skipWithoutCompose, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject, eventually } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines) || skipWithoutCompose();

if (skip !== false) test("adopting what docker compose runs", { skip }, () => {});

const COMPOSE = `
services:
  web:
    image: flyball/busybox:lab
    command: ["sh", "-c", "echo hello from $$(hostname); exec sleep 1000"]
    stop_grace_period: 0s
    volumes: ["/data", "kept:/kept"]
    ports: ["80"]
    networks: { front: { aliases: [shop] }, back: {} }
    depends_on: [db]
    configs: [{ source: motd, target: /etc/motd.d/text }]
    secrets: [token]
  db:
    image: flyball/busybox:lab
    command: ["sleep", "1000"]
    stop_grace_period: 0s
    networks: [back]
networks: { front: {}, back: {} }
volumes: { kept: {} }
configs: { motd: { content: "be kind" } }
secrets: { token: { environment: TOKEN } }
`;

for (const lab of skip === false ? engines : []) {
  describe(`adopting what docker compose runs on Docker ${lab.name}`, () => {
    test("is seen as compose's, and cloned without touching the first; compose owns the clones", async () => {
      await using on = await DockerProject.open(lab, "adopt");
      on.define({ web: {}, db: {} }, ["front", "back"]);
      on.write("compose.yaml", COMPOSE);
      on.write(".env", "TOKEN=s3cret\n");
      await on.compose("up", "-d");

      const before = (await on.replicas()).filter(({ service }) => service.endsWith("_web"));
      const [first] = before;
      assert.ok(first);
      assert.equal(before.length, 1);
      assert.equal(first.origin, "compose");
      assert.equal(first.templateHash, undefined);
      assert.equal(first.state, "running");
      assert.equal(first.endpoints[0]?.host, "127.0.0.1");

      const clones = [
        await on.createAndStart("web", 2, first.id),
        await on.createAndStart("web", 3, first.id),
      ];
      const after = (await on.replicas()).filter(({ service }) => service.endsWith("_web"));
      assert.deepEqual(
        after.map(({ slot, origin, state, name }) => ({ slot, origin, state, name })),
        [
          { slot: 1, origin: "compose", state: "running", name: `${on.name}-web-1` },
          { slot: 2, origin: "flyball", state: "running", name: `${on.name}-web-2` },
          { slot: 3, origin: "flyball", state: "running", name: `${on.name}-web-3` },
        ],
      );
      assert.equal(after[0]?.startedAtMs, first.startedAtMs);
      assert.equal(after[0]?.id, first.id);
      assert.equal(new Set(after.map(({ endpoints }) => endpoints[0]?.port)).size, 3);

      const names = [1, 2, 3].map((slot) => `${on.name}-web-${slot}`);
      assert.deepEqual(await on.composePs(), [`${on.name}-db-1`, ...names]);
      const inspected = await Promise.all(
        [first.id, ...clones].map((id) => on.docker.getContainer(id).inspect()),
      );
      const volumeAt = (path: string) =>
        inspected.map(({ Mounts }) => Mounts.find(({ Destination }) => Destination === path)?.Name);
      assert.equal(new Set(volumeAt("/data")).size, 3, "an anonymous volume each");
      assert.equal(new Set(volumeAt("/kept")).size, 1, "the named volume is shared");
      for (const [index, { NetworkSettings, Config, Id }] of inspected.entries()) {
        assert.deepEqual(Object.keys(NetworkSettings.Networks).sort(), [
          `${on.name}_back`,
          `${on.name}_front`,
        ]);
        assert.equal(Config.Hostname, Id.slice(0, 12));
        const aliases = NetworkSettings.Networks[`${on.name}_front`]?.Aliases;
        assert.deepEqual(
          aliases.filter((alias: string) => alias !== Id.slice(0, 12)).sort(),
          [names[index], "shop", "web"].sort(),
        );
      }

      for (const clone of clones) {
        assert.equal(await read(on, clone, "/etc/motd.d/text"), "be kind");
        assert.equal(await read(on, clone, "/run/secrets/token"), "s3cret");
      }

      await eventually("compose logs has all three", async () => {
        const lines = (await on.compose("logs", "web"))
          .split("\n")
          .filter((line) => line.includes("hello from"));
        return lines.length === 3;
      });
      await on.compose("restart", "-t", "0", "web");
      const restarted = await on.replicas();
      assert.ok(
        clones.every((id) => restarted.some((replica) => replica.id === id && replica.state === "running")),
      );
      for (const id of clones) {
        const earlier = after.find((replica) => replica.id === id)?.startedAtMs ?? 0;
        const later = restarted.find((replica) => replica.id === id)?.startedAtMs ?? 0;
        assert.ok(later > earlier, "compose restarted the clone too");
      }

      await on.compose("up", "-d", "--scale", "web=3");
      assert.deepEqual(
        (await on.replicas()).map(({ id }) => id).sort(),
        restarted.map(({ id }) => id).sort(),
      );

      const anonymous = volumeAt("/data");
      for (const [index, id] of clones.entries()) {
        await on.do({ kind: "remove-replica", service: `${on.name}_web`, slot: index + 2, replica: id });
      }
      const left = (await on.docker.listVolumes()).Volumes.map(({ Name }) => Name);
      assert.deepEqual(
        anonymous.map((name) => left.includes(name ?? "")),
        [true, false, false],
      );
      await on.compose("down", "--volumes");
      assert.deepEqual(await on.containers(), []);
    });

    test("a clone cut short before it got its configs is finished by the start", async () => {
      await using on = await DockerProject.open(lab, "cut");
      on.define({ web: {}, db: {} }, ["front", "back"]);
      on.write("compose.yaml", COMPOSE);
      on.write(".env", "TOKEN=s3cret\n");
      await on.compose("up", "-d");
      const [first] = (await on.replicas()).filter(({ service }) => service.endsWith("_web"));
      assert.ok(first);
      const web = { service: `${on.name}_web`, slot: 2 };
      const whole = await on.do({ kind: "create-replica", ...web, cloneOf: first.id });
      assert.ok(whole);
      // The same container as it is before its files are copied.
      const { Config, HostConfig, Name } = await on.docker.getContainer(whole).inspect();
      await on.docker.getContainer(whole).remove({ v: true });
      const name = Name.slice(1);
      const parts = { _query: { name }, _body: { ...Config, Hostname: "", HostConfig }, name };
      const { id } = await on.docker.createContainer(parts);
      await on.do({ kind: "start-replica", ...web, replica: id });
      assert.equal(await read(on, id, "/run/secrets/token"), "s3cret");
      const { NetworkSettings } = await on.docker.getContainer(id).inspect();
      assert.deepEqual(Object.keys(NetworkSettings.Networks).sort(), [`${on.name}_back`, `${on.name}_front`]);
    });

    test("a one-off container is no replica, and one with a garbled number sits past the highest slot", async () => {
      await using on = await DockerProject.open(lab, "odd");
      on.define({ web: {} });
      on.write(
        "compose.yaml",
        `services: { web: { image: flyball/busybox:lab, command: [sleep, "1000"], stop_grace_period: 0s } }\n`,
      );
      await on.compose("up", "-d", "--scale", "web=2");
      await on.compose("run", "-d", "web", "sleep", "1000");
      const [first] = await on.replicas();
      assert.ok(first);
      const { Config } = await on.docker.getContainer(first.id).inspect();
      const Labels = { ...Config.Labels, "com.docker.compose.container-number": "two" };
      const odd = await on.docker.createContainer({ Image: Config.Image, Labels });
      const replicas = await on.replicas();
      assert.deepEqual(
        replicas.map(({ slot, state }) => ({ slot, state })),
        [
          { slot: 1, state: "running" },
          { slot: 2, state: "running" },
          { slot: 3, state: "created" },
        ],
      );
      assert.equal(replicas[2]?.id, odd.id);
    });

    test("docker compose up makes its own what was made from the template, and the count stays the file's", async () => {
      await using on = await DockerProject.open(lab, "owner");
      on.define({ web: {} });
      on.write(
        "compose.yaml",
        `services: { web: { image: flyball/busybox:lab, command: [sleep, "1000"], stop_grace_period: 0s, scale: 2 } }\n`,
      );
      await on.createNetworks();
      for (const slot of [1, 2, 3]) await on.createAndStart("web", slot);
      await on.compose("up", "-d");
      assert.deepEqual(
        (await on.replicas()).map(({ slot, origin, state }) => ({ slot, origin, state })),
        [1, 2].map((slot) => ({ slot, origin: "compose", state: "running" })),
      );
    });

    test("a clone is of the image that runs, also when its tag has moved on", async () => {
      await using on = await DockerProject.open(lab, "tag");
      on.define({ web: { image: `${on.name}:latest` } });
      const image = on.docker.getImage("flyball/busybox:lab");
      const { Id } = await image.inspect();
      await image.tag({ repo: on.name, tag: "latest" });
      on.write(
        "compose.yaml",
        `services: { web: { image: "${on.name}:latest", command: [sleep, "1000"], stop_grace_period: 0s } }\n`,
      );
      await on.compose("up", "-d");
      const [first] = await on.replicas();
      assert.ok(first);
      const other = await on.docker.getContainer(first.id).commit({ repo: on.name, tag: "latest" });
      try {
        const clone = await on.createAndStart("web", 2, first.id);
        assert.equal((await on.docker.getContainer(clone).inspect()).Image, Id);
      } finally {
        for (const container of await on.containers()) {
          await on.docker.getContainer(container.Id).remove({ force: true, v: true });
        }
        await on.docker.getImage(other.Id).remove({ force: true });
      }
    });
  });
}

/** The text of a file in a container. */
async function read(on: DockerProject, container: string, path: string): Promise<string> {
  const exec = await on.docker
    .getContainer(container)
    .exec({ Cmd: ["cat", path], AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text.trim();
}
