import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { startApi } from "../../api/server.ts";
import { createLog } from "../../core/log.ts";
import { ControlDouble } from "./control-double.ts";
import { aStream, json, startTestApi, TOKEN } from "./harness.ts";

const log = createLog("silent");
const control = new ControlDouble();

describe("where the API listens and how it ends", () => {
  test("an address that other machines reach is refused without a token", async () => {
    for (const host of ["0.0.0.0", "::", "192.0.2.7", "flyball.example"]) {
      await assert.rejects(startApi({ control, stream: aStream(), log, listen: { host, port: 0 } }), {
        code: "LISTEN_REFUSED",
        message: /without a token/,
      });
    }
  });

  test("it is served with one, and every spelling of this machine without", async () => {
    await using open = await startApi({
      control,
      stream: aStream(),
      log,
      listen: { host: "0.0.0.0", port: 0 },
      token: TOKEN,
    });
    assert.notEqual(open.address.port, 0);
    for (const host of ["localhost", "127.0.0.1", "127.0.0.5"]) {
      await using api = await startApi({ control, stream: aStream(), log, listen: { host, port: 0 } });
      assert.notEqual(api.address.port, 0);
    }
  });

  test("a taken port is named with its host", async () => {
    await using first = await startTestApi();
    await assert.rejects(startApi({ control, stream: aStream(), log, listen: first.api.address }), {
      code: "PORT_IN_USE",
      message: new RegExp(`127\\.0\\.0\\.1:${first.port} `),
    });
  });

  test("an address that this machine does not have is refused with what the system said", async () => {
    const listen = { host: "192.0.2.7", port: 0 };
    await assert.rejects(startApi({ control, stream: aStream(), log, listen, token: TOKEN }), {
      code: "LISTEN_REFUSED",
      message: /192\.0\.2\.7:0.*EADDRNOTAVAIL/,
    });
  });

  test("closing lets a request in flight end, and then takes no more", async () => {
    const server = await startTestApi();
    const gate = Promise.withResolvers<void>();
    server.control.gate = gate.promise;
    const answer = server.fetch("/v1/services/shop_web/scale", json("PUT", { replicas: 3 }));
    await server.control.scaling.promise;
    const closed = server[Symbol.asyncDispose]();
    gate.resolve();
    assert.equal((await answer).status, 200);
    await closed;
    await assert.rejects(server.fetch("/healthz"));
  });

  test("closing cuts a request that never ends, and may be asked for twice", async () => {
    const server = await startTestApi();
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("PUT /v1/services/shop_web/scale HTTP/1.1\r\nHost: localhost\r\n");
    await once(socket, "ready");
    const closed = once(socket, "close");
    await Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    await closed;
  });
});
