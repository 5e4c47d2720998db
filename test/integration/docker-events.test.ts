import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject, eventually, openLabEngine } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

if (skip !== false) test("hints of a Docker engine", { skip }, () => {});

for (const lab of engines) {
  describe(`hints of Docker ${lab.name}`, () => {
    test("arrive for what happens to the project's containers, and not for a stranger's", async () => {
      await using on = await DockerProject.open(lab, "hint");
      await using stranger = await DockerProject.open(lab, "stranger");
      on.define({ web: {} });
      stranger.define({ web: {} });
      await on.createNetworks();
      await stranger.createNetworks();
      const id = await on.createAndStart("web", 1);
      await on.replicas();
      let hints = 0;
      using _watch = on.engine.watch(() => {
        hints += 1;
      });
      await eventually("the first hint, when the stream opens", () => hints === 1);

      // Much longer than a hint takes.
      await stranger.createAndStart("web", 1);
      assert.equal(hints, 1);
      await on.docker.getContainer(id).kill();
      await eventually("a hint of the kill", () => hints > 1);
      assert.equal((await on.replicas())[0]?.state, "exited");
    });

    test("what is remembered between two looks never hides a restart", async () => {
      await using on = await DockerProject.open(lab, "restart");
      on.define({ web: {} });
      await on.createNetworks();
      const id = await on.createAndStart("web", 1);
      let hints = 0;
      using _watch = on.engine.watch(() => {
        hints += 1;
      });
      await eventually("the stream is open", () => hints > 0);
      const [before] = await on.replicas();
      await on.replicas();
      await on.docker.getContainer(id).restart({ t: 0 });
      const started = (await on.docker.getContainer(id).inspect()).State.StartedAt;
      await eventually(
        "the restart is seen",
        async () => (await on.replicas())[0]?.startedAtMs === Date.parse(started),
      );
      assert.notEqual((await on.replicas())[0]?.pid, before?.pid);
    });

    test("come again after the stream broke, with one for what was missed", async () => {
      await using on = await DockerProject.open(lab, "broken");
      await using proxy = await socketProxy(lab.socketPath);
      await using engine = await openLabEngine(proxy.socketPath);
      on.define({ web: {} });
      await engine.observe([on.project], AbortSignal.timeout(30_000));
      let hints = 0;
      using _watch = engine.watch(() => {
        hints += 1;
      });
      await eventually("the stream is open", () => hints === 1);
      proxy.breakAll();
      await eventually("the hint after the reconnection", () => hints === 2);
      await on.createNetworks();
      await eventually("a hint through the new stream", () => hints > 2);
    });
  });
}

/** A socket in front of the engine's whose connections can be cut. */
async function socketProxy(
  target: string,
): Promise<AsyncDisposable & { socketPath: string; breakAll(): void }> {
  const directory = mkdtempSync(join(tmpdir(), "fbproxy-"));
  const socketPath = join(directory, "docker.sock");
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const engine = createConnection(target);
    for (const socket of [client, engine]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        engine.destroy();
      });
    }
    client.pipe(engine).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const breakAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    socketPath,
    breakAll,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      breakAll();
      await closed;
      rmSync(directory, { recursive: true });
    },
  };
}
