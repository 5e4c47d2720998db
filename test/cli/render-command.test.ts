import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NOW_MS, observed, replica, service } from "../api/discovery/builders.ts";
import { startTestApi } from "../api/harness.ts";
import { freePort } from "../lab/free-port.ts";
import { flyball, type Invocation } from "./flyball.ts";
import { Folder } from "./template/directory.ts";

const TEMPLATE = "{% for endpoint in service.web.endpoints %}{{ endpoint.slot }} {% endfor %}";
const PATIENCE_MS = 20_000;

/** The API of a daemon whose `web` has replicas in these slots. */
async function startSeeing(...slots: number[]) {
  const api = await startTestApi();
  api.control.running = [service("web")];
  let atMs = NOW_MS;
  const see = (...slots: number[]) => {
    atMs += 1_000;
    const replicas = slots.map((slot) => replica("web", slot));
    api.control.discovery.observed(observed(replicas, { atMs }));
  };
  see(...slots);
  return { ...api, see, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

async function until(what: string, look: () => boolean): Promise<void> {
  for (const giveUp = performance.now() + PATIENCE_MS; !look(); await sleep(20)) {
    assert.ok(performance.now() < giveUp, `never happened: ${what}`);
  }
}

/** `flyball render` until it is stopped, and what it has noted so far. */
function start(words: readonly string[], address: string) {
  const notes: string[] = [];
  const invocation: Invocation = { onNote: (text) => notes.push(text) };
  const end = flyball(["render", ...words, "--address", address], invocation);
  let isOver = false;
  const stop = async () => {
    if (!isOver) process.emit("SIGTERM", "SIGTERM");
    isOver = true;
    return await end;
  };
  return { notes, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

describe("flyball render", () => {
  test("with --once writes the file, runs the command and ends", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1, 2);
    const template = folder.write("t", TEMPLATE);
    const words = ["render", template, folder.at("out"), "--once", "--address", api.url];
    const exec = ["--exec", `echo run >> ${folder.at("runs")}`];
    assert.equal((await flyball([...words, ...exec])).status, 0);
    assert.equal(readFileSync(folder.at("out"), "utf8"), "1 2 ");
    assert.equal((await flyball([...words, ...exec])).status, 0);
    assert.equal(readFileSync(folder.at("runs"), "utf8"), "run\n");
    api.see(1);
    const failed = await flyball([...words, "--exec", "exit 3"]);
    assert.equal(failed.status, 10);
    assert.match(failed.noted, /^COMMAND_FAILED: exit 3 ended with status 3/);
  });

  test("names the new text for its check by a path that leads to it from anywhere", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1);
    const template = relative("/srv/shop", folder.write("t", TEMPLATE));
    const out = relative("/srv/shop", folder.at("out"));
    const words = ["render", template, out, "--once", "--check", "cd / && test -s {}", "--address", api.url];
    assert.deepEqual(await flyball(words), { status: 0, printed: "", noted: "" });
    assert.equal(readFileSync(folder.at("out"), "utf8"), "1 ");
  });

  test("shows on standard output what would be written, and what it does not know", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1, 2);
    const template = folder.write("t", `${TEMPLATE}{{ service.wep.endpoints.size }}\n`);
    const shown = await flyball(["render", template, "-", "--once", "--address", api.url]);
    assert.equal(shown.printed, "1 2 0");
    assert.match(shown.noted, /there is no service wep, and so no endpoints of it: did you mean web\?$/);
    assert.equal((await flyball(["render", template, "-", "--address", api.url])).status, 2);
  });

  test("says what is wrong with the template, the file or the daemon, and ends", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1);
    const wrong = folder.write("wrong", "{% if");
    const template = folder.write("t", TEMPLATE);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const ends = [
      await flyball(["render", wrong, folder.at("out"), "--address", api.url]),
      await flyball(["render", template, folder.path, "--address", api.url]),
      await flyball(["render", template, folder.at("out"), "--once", "--address", nobody]),
      await flyball(["render", template, folder.at("out"), "--min-interval", "soon", "--address", api.url]),
    ];
    assert.deepEqual(
      ends.map(({ status }) => status),
      [2, 2, 8, 2],
    );
    assert.ok(!existsSync(folder.at("out")));
  });

  test("follows the service, and gathers what comes quickly", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1);
    const words = [folder.write("t", TEMPLATE), folder.at("out"), "--min-interval", "1s"];
    const exec = [
      "--exec",
      `cat ${folder.at("out")} >> ${folder.at("taken")}; echo >> ${folder.at("taken")}`,
    ];
    await using render = start([...words, ...exec], api.url);
    const taken = () => (existsSync(folder.at("taken")) ? readFileSync(folder.at("taken"), "utf8") : "");
    await until("it was written", () => taken() === "1 \n");
    for (const slot of [2, 3, 4, 5]) api.see(1, slot);
    api.see();
    await until("the last was taken", () => taken().endsWith("\n\n"));
    assert.equal(taken(), "1 \n\n");
    const { status, noted } = await render.stop();
    assert.equal(status, 0);
    assert.match(
      noted,
      /out was written: 1 endpoint of 1 service\n.*out was written: 0 endpoints of 1 service$/s,
    );
  });

  test("keeps the file while the daemon is away, and goes on with the next one", async () => {
    using folder = new Folder();
    const port = await freePort();
    await using render = start(
      [folder.write("t", TEMPLATE), folder.at("out"), "--min-interval", "0"],
      `http://127.0.0.1:${port}`,
    );
    const out = () => (existsSync(folder.at("out")) ? readFileSync(folder.at("out"), "utf8") : "");
    await until("it says that nobody answers", () => render.notes.length > 0);
    {
      await using api = await startTestApi({ port });
      api.control.running = [service("web")];
      await sleep(300);
      // Started, and has not seen its engine: that is not a service without replicas.
      assert.equal(out(), "");
      api.control.discovery.observed(observed([replica("web", 1)]));
      await until("it was written", () => out() === "1 ");
    }
    await sleep(300);
    assert.equal(out(), "1 ");
    await using api = await startTestApi({ port });
    api.control.running = [service("web")];
    api.control.discovery.observed(observed([replica("web", 2)], { atMs: NOW_MS - 60_000 }));
    await until("it follows the next one", () => out() === "2 ");
    const { status } = await render.stop();
    assert.equal(status, 0);
    assert.match(render.notes[0] ?? "", /out stays as it is: no daemon answers at /);
    assert.match(render.notes.join("\n"), /answers again/);
  });

  test("says once what fails, and goes on", async () => {
    using folder = new Folder();
    await using api = await startSeeing(1);
    const template = folder.write("t", TEMPLATE);
    const words = [template, folder.at("out"), "--min-interval", "0", "--check", "! grep -q 2 {}"];
    await using render = start(words, api.url);
    const out = () => (existsSync(folder.at("out")) ? readFileSync(folder.at("out"), "utf8") : "");
    await until("it was written", () => out() === "1 ");
    api.see(1, 2);
    await until("it was refused", () => render.notes.some((note) => note.startsWith("COMMAND_FAILED: ")));
    assert.equal(out(), "1 ");
    api.see(1, 3);
    await until("the next was taken", () => out() === "1 3 ");
    await render.stop();
    assert.equal(render.notes.filter((note) => note.startsWith("COMMAND_FAILED")).length, 1);
  });
});
