import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { askHttp, readBody } from "../../core/http.ts";

const BODY = "x".repeat(1_000_000);
const never = () => new AbortController().signal;

async function addressOf(server: Server, t: TestContext): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (t: TestContext, answer: RequestListener) => addressOf(createHttpServer(answer), t);

describe("a question over HTTP", () => {
  test("is answered whole by a server that closes the connection at the end, however slowly it is read", async (t) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`);
      });
    });
    const response = await askHttp(await addressOf(server, t), { signal: never() });
    // The server has closed by then, and the answer waits to be read.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { text, isWhole } = await readBody(response);
    assert.deepEqual({ length: text.length, isWhole }, { length: BODY.length, isWhole: true });
  });

  test("has the method, the headers and the body that it was given", async (t) => {
    const address = await answering(t, async (request, response) => {
      const { text } = await readBody(request);
      response.end(JSON.stringify([request.method, request.url, request.headers["x-who"], text]));
    });
    const asked = { method: "POST", headers: { "x-who": "us" }, body: "héllo", signal: never() } as const;
    const { text } = await readBody(await askHttp(`${address}/a?b=c`, asked));
    assert.deepEqual(JSON.parse(text), ["POST", "/a?b=c", "us", "héllo"]);
  });

  test("is read up to so many bytes, and the rest is not waited for", async (t) => {
    const gone = Promise.withResolvers<void>();
    const address = await answering(t, (_, response) => {
      response.on("close", gone.resolve).write("0123456789");
    });
    const response = await askHttp(address, { signal: never() });
    assert.deepEqual(await readBody(response, 4), { text: "0123", isWhole: false });
    await gone.promise;
  });

  test("follows no redirect", async (t) => {
    const address = await answering(t, (_, response) => response.writeHead(302, { location: "/" }).end());
    const { statusCode } = await askHttp(address, { signal: never() });
    assert.equal(statusCode, 302);
  });

  test("whose answer is compressed, though it was not to be, is refused with what came", async (t) => {
    const address = await answering(t, (request, response) => {
      assert.equal(request.headers["accept-encoding"], "identity");
      response.setHeader("content-encoding", "gzip").end(gzipSync("hello"));
    });
    const response = await askHttp(address, { signal: never() });
    await assert.rejects(readBody(response), /compressed \(gzip\)/u);
  });

  test("ends when it is called off, before its answer and in the middle of it", async (t) => {
    const address = await answering(t, ({ url }, response) => {
      if (url === "/half") response.write("half");
    });
    await assert.rejects(askHttp(address, { signal: AbortSignal.timeout(20) }), { name: "AbortError" });
    const response = await askHttp(`${address}/half`, { signal: AbortSignal.timeout(100) });
    await assert.rejects(readBody(response), /aborted/u);
  });
});
