import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../../../core/clock.ts";
import { type ErrorCode, isFlyballError } from "../../../../core/errors.ts";
import { createLog } from "../../../../core/log.ts";
import { engineAddress } from "../../../../orchestrator/engines/docker/address.ts";
import { connect, isAtLeast, negotiate } from "../../../../orchestrator/engines/docker/connect.ts";
import { dockerAnswers, openDockerEngine } from "../../../../orchestrator/engines/docker/engine.ts";

const silent = createLog("silent");

describe("finding a Docker engine", () => {
  let directory = "";
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "fbconnect-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  test("the forms of DOCKER_HOST", () => {
    const text = (host?: string) => engineAddress(host === undefined ? {} : { host }).text;
    assert.equal(text(), "unix:///var/run/docker.sock");
    assert.equal(text(""), "unix:///var/run/docker.sock");
    assert.equal(text("unix:///run/other.sock"), "unix:///run/other.sock");
    assert.equal(text("tcp://10.0.0.1"), "tcp://10.0.0.1:2375");
    assert.equal(text("tcp://build.example:1234"), "tcp://build.example:1234");
    assert.deepEqual(engineAddress({ host: "tcp://h:2376" }), {
      kind: "tcp",
      host: "h",
      port: 2376,
      secure: true,
      text: "tcp://h:2376",
    });
    assert.equal(engineAddress({ socketPath: "/a.sock", host: "tcp://h" }).text, "unix:///a.sock");
    for (const host of ["ssh://me@host", "docker.sock", "tcp://"]) {
      assert.throws(() => engineAddress({ host }), hasCode("CONFIG_INVALID", /expected unix:.*, got/u));
    }
  });

  test("the version spoken is the newest that both know", () => {
    assert.equal(negotiate("1.41"), "1.41");
    assert.equal(negotiate("1.45", "1.24"), "1.45");
    assert.equal(negotiate("1.99", "1.44"), "1.51");
    assert.equal(negotiate("1.99", "1.60"), "1.60");
    assert.equal(negotiate("1.40", "1.12"), undefined);
    assert.equal(isAtLeast("1.9", "1.44"), false);
    assert.equal(isAtLeast("2.0", "1.44"), true);
  });

  test("nothing there is named with the address and what to do", async () => {
    const socketPath = join(directory, "none.sock");
    await assert.rejects(
      open(socketPath),
      hasCode("ENGINE_UNAVAILABLE", new RegExp(`unix://${socketPath}.*start Docker`, "u")),
    );
    assert.equal(await dockerAnswers({ socketPath, log: silent }), false);
    await assert.rejects(
      openDockerEngine({
        host: "tcp://127.0.0.1:1",
        instanceId: "i",
        clock: systemClock,
        log: silent,
      }),
      hasCode("ENGINE_UNAVAILABLE", /tcp:\/\/127\.0\.0\.1:1 .*nothing listens/u),
    );
  });

  test("something else that answers there is not taken for an engine", async () => {
    await using server = await serve(directory, (_, response) => response.end("<html>"));
    await assert.rejects(open(server.socketPath), hasCode("ENGINE_UNAVAILABLE", /not a Docker engine/u));
  });

  test("one that is too old is refused with both versions", async () => {
    await using server = await serve(directory, (_, response) =>
      response.end(JSON.stringify({ Version: "19.03.1", ApiVersion: "1.40" })),
    );
    assert.equal(await dockerAnswers({ ...server, log: silent }), true);
    await assert.rejects(
      open(server.socketPath),
      hasCode("ENGINE_UNSUPPORTED", /1\.41 or newer.*got 1\.40/u),
    );
  });

  test("one that is slow to answer is waited for, and said to be slow", async () => {
    const slow = Promise.withResolvers<string>();
    const log = createLog("warn", { write: slow.resolve });
    await using server = await serve(directory, async (_, response) => {
      await slow.promise;
      response.end(JSON.stringify({ Version: "26.1.5", ApiVersion: "1.45" }));
    });
    const { engineVersion } = await connect({ ...server, log, slowMs: 10 });
    assert.equal(engineVersion, "26.1.5");
    assert.match(await slow.promise, /"address":"unix:.*slow to answer; waited for up to 30s/u);
  });

  test("one that takes a call and says nothing is unavailable after the call's deadline", async () => {
    await using server = await serve(directory, (request, response) => {
      if (request.url === "/version") response.end(JSON.stringify({ Version: "26.1.5", ApiVersion: "1.45" }));
    });
    const { ask, docker } = await connect({ ...server, log: silent });
    await assert.rejects(
      ask((abortSignal) => docker.listContainers({ abortSignal }), { deadlineMs: 50 }),
      hasCode("ENGINE_UNAVAILABLE", /unix:.*no answer within 50ms/u),
    );
  });

  test("one that goes away later is unavailable, one that answers nonsense half way has told no whole picture", async () => {
    let status = 200;
    await using server = await serve(directory, (request, response) => {
      const isVersion = request.url === "/version";
      if (!isVersion && status === 0) return void request.socket.destroy();
      response.statusCode = isVersion ? 200 : status;
      const body = isVersion ? { Version: "26.1.5", ApiVersion: "1.45" } : { message: "broken inside" };
      response.end(JSON.stringify(body));
    });
    await using engine = await open(server.socketPath);
    assert.equal(engine.description, `Docker Engine 26.1.5 (API 1.45) at unix://${server.socketPath}`);
    const project = {
      name: "shop",
      workingDirectory: "/",
      composeFiles: [],
      services: [],
      networks: [],
      volumes: [],
    };
    status = 500;
    assert.equal((await engine.observe([project], AbortSignal.timeout(5_000))).complete, false);
    status = 0;
    await assert.rejects(
      engine.observe([project], AbortSignal.timeout(5_000)),
      hasCode("ENGINE_UNAVAILABLE", /shop|unix/u),
    );
    const reason = new Error("the daemon stops");
    await assert.rejects(engine.observe([project], AbortSignal.abort(reason)), reason);
  });
});

function open(socketPath: string) {
  return openDockerEngine({ socketPath, instanceId: "i", clock: systemClock, log: silent });
}

function hasCode(code: ErrorCode, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(isFlyballError(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

let servers = 0;

async function serve(
  directory: string,
  answer: http.RequestListener,
): Promise<AsyncDisposable & { socketPath: string }> {
  servers += 1;
  const socketPath = join(directory, `${servers}.sock`);
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    socketPath,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
