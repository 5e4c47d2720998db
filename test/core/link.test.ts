import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FlyballError } from "../../core/errors.ts";
import { connectLink, type LinkPeer, type LinkServer, serveLink } from "../../core/link.ts";

type Question = { readonly type: "question"; readonly text: string };
type Answer = { readonly type: "answer"; readonly text: string };

const isQuestion = (value: unknown): value is Question => hasType(value, "question");
const isAnswer = (value: unknown): value is Answer => hasType(value, "answer");

function hasType(value: unknown, type: string): boolean {
  return typeof value === "object" && value !== null && "type" in value && value.type === type;
}

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyball-link-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const coded = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof FlyballError && error.code === code && words.test(error.message);

/** A server that answers each question with its text. */
async function echo(
  place: string,
  more: { maxFrameBytes?: number; onProblem?: (problem: FlyballError) => void } = {},
): Promise<LinkServer> {
  return serveLink<Question, Answer>({
    directory: place,
    name: "echo",
    isMessage: isQuestion,
    onMessage: ({ text }, peer) => {
      peer.send({ type: "answer", text });
    },
    ...more,
  });
}

async function ask(place: string, text: string): Promise<string> {
  const answer = Promise.withResolvers<string>();
  using link = await connectLink<Answer, Question>({
    directory: place,
    name: "echo",
    isMessage: isAnswer,
    onMessage: (message) => answer.resolve(message.text),
    onDisconnect: (problem) => answer.reject(problem ?? new Error("closed")),
  });
  assert.ok(link.send({ type: "question", text }));
  return await answer.promise;
}

/** Writes bytes to the socket past the adapter; resolves when the server has ended the connection. */
async function writeRaw(place: string, bytes: string): Promise<void> {
  const socket = connect(join(place, "echo.sock"));
  socket.on("error", () => {});
  socket.resume();
  socket.write(bytes);
  await once(socket, "close");
}

describe("a link", () => {
  test("carries messages both ways, whatever their text holds", async () => {
    await using _server = await echo(directory);
    for (const text of ["hello", "\f\n\u0000", "ü€😀", "x".repeat(300_000)]) {
      assert.equal(await ask(directory, text), text);
    }
  });

  test("is in a directory of its user alone, also one that was open before", async () => {
    const place = join(directory, "link");
    mkdirSync(place);
    chmodSync(place, 0o755);
    await using _server = await echo(place);
    assert.equal(statSync(place).mode & 0o777, 0o700);
  });

  test("works in a directory whose path is longer than a socket address", async () => {
    const place = join(directory, "long".repeat(30), "link");
    await using _server = await echo(place);
    assert.equal(await ask(place, "far"), "far");
  });

  test("can be served again after an end without a farewell", async () => {
    const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", script, join(directory, "echo.sock")]), "exit");
    assert.ok(statSync(join(directory, "echo.sock")).isSocket());
    await using _server = await echo(directory);
    assert.equal(await ask(directory, "again"), "again");
  });

  test("cannot be made where a file is in the way", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    await assert.rejects(echo(file), coded("STORE_UNUSABLE", /private directory/u));
    mkdirSync(join(directory, "echo.sock"));
    await assert.rejects(echo(directory), coded("STORE_UNUSABLE", /cannot listen/u));
  });

  test("breaks with a code where nobody serves", async () => {
    await assert.rejects(ask(directory, "anyone?"), coded("LINK_BROKEN", /echo/u));
  });

  test("tells the client when the server goes, and the server when the client goes", async () => {
    const left = Promise.withResolvers<void>();
    const server = await serveLink<Question, Answer>({
      directory,
      name: "echo",
      isMessage: isQuestion,
      onMessage: () => {},
      onDisconnect: () => left.resolve(),
    });
    const options = { directory, name: "echo", isMessage: isAnswer, onMessage: () => {} };
    (await connectLink<Answer, Question>(options)).close();
    await left.promise;

    const gone = Promise.withResolvers<void>();
    using link = await connectLink<Answer, Question>({ ...options, onDisconnect: () => gone.resolve() });
    await server.close();
    await gone.promise;
    assert.equal(link.send({ type: "question", text: "still there?" }), false);
  });
});

describe("a client that breaks the rules is dropped, and the others are served on", () => {
  const frames: [name: string, bytes: string][] = [
    ["bytes that are no JSON", "{garbage\f"],
    ["JSON that is no object", "[1,2]\f"],
    ["an event that is the library's own", '{"type":"disconnect","data":{}}\f'],
    ["an event that nobody knows", '{"type":"other","data":{}}\f'],
    ["a message of no known type", '{"type":"message","data":{"type":"order"}}\f'],
    ["a message without content", '{"type":"message"}\f'],
    ["a name from the prototype", '{"type":"__proto__","data":{}}\f'],
    ["a frame without an end", "x".repeat(70_000)],
  ];
  for (const [name, bytes] of frames) {
    test(name, async () => {
      const problems: string[] = [];
      await using _server = await echo(directory, {
        maxFrameBytes: 64 * 1024,
        onProblem: (problem) => problems.push(problem.code),
      });
      await writeRaw(directory, bytes);
      assert.ok(problems.includes("LINK_BROKEN"));
      assert.equal(await ask(directory, "fine here"), "fine here");
    });
  }

  test("and what follows a bad frame in the same bytes is not heard", async () => {
    const heard: string[] = [];
    await using _server = await serveLink<Question, Answer>({
      directory,
      name: "echo",
      isMessage: isQuestion,
      onMessage: ({ text }) => heard.push(text),
    });
    const good = (text: string) =>
      `${JSON.stringify({ type: "message", data: { type: "question", text } })}\f`;
    await writeRaw(directory, `${good("before")}{"type":"message","data":7}\f${good("after")}`);
    assert.deepEqual(heard, ["before"]);
  });
});

describe("a message that cannot be sent", () => {
  test("is refused while the other side takes nothing, and the way is free again when it does", async () => {
    const drained = Promise.withResolvers<void>();
    const connected = Promise.withResolvers<LinkPeer<Answer>>();
    let received = 0;
    await using _server = await serveLink<Question, Answer>({
      directory,
      name: "echo",
      isMessage: isQuestion,
      onMessage: () => {
        received += 1;
      },
      onConnect: connected.resolve,
    });
    using link = await connectLink<Answer, Question>({
      directory,
      name: "echo",
      isMessage: isAnswer,
      onMessage: () => {},
      onDrain: () => drained.resolve(),
    });
    await connected.promise;
    // Nothing is read while this loop holds the one thread that both sides run on.
    let sent = 0;
    while (sent < 10_000 && link.send({ type: "question", text: "x".repeat(100_000) })) sent += 1;
    assert.ok(sent > 0 && sent < 10_000);
    await drained.promise;
    assert.ok(link.send({ type: "question", text: "last" }));
    while (received < sent + 1) await new Promise((resolve) => setImmediate(resolve));
  });

  test("because it is too large throws, and the link goes on", async () => {
    await using _server = await echo(directory);
    const answer = Promise.withResolvers<string>();
    using link = await connectLink<Answer, Question>({
      directory,
      name: "echo",
      isMessage: isAnswer,
      onMessage: ({ text }) => answer.resolve(text),
      maxFrameBytes: 1_000,
    });
    assert.throws(
      () => link.send({ type: "question", text: "x".repeat(2_000) }),
      coded("LINK_BROKEN", /maxMessageSize/u),
    );
    link.send({ type: "question", text: "small" });
    assert.equal(await answer.promise, "small");
  });
});

test("node-ipc is the one release that was read and found clean", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"));
  assert.equal(lock.packages[""].dependencies["node-ipc"], "14.0.0");
  const { version, integrity } = lock.packages["node_modules/node-ipc"];
  assert.equal(version, "14.0.0");
  assert.equal(
    integrity,
    "sha512-d5+aogND4Gk6aQkW5KCibliM4Mn12+isHXt8wFghO4Bn0gBSnev3TXJWQ4eEnzrlh5gCG+nwQEZwyayeDtQxQA==",
  );
});
