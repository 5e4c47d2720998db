import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freePort } from "../lab/free-port.ts";
import { daemonCodeDouble, PROJECT_PAGES, request } from "./daemon-code-double.ts";
import { flyball } from "./flyball.ts";
import { startRecordedDaemon } from "./recorded-daemon.ts";

/** Settings under which no daemon answers, and one that is started logs nothing. */
async function nobodyThere() {
  return { FLYBALL_LISTEN: `127.0.0.1:${await freePort()}`, FLYBALL_LOG_LEVEL: "silent" };
}

describe("the commands that read compose files", () => {
  test("up hands the project to the daemon that runs, and tells each diagnostic once", async () => {
    await using daemon = await startRecordedDaemon(PROJECT_PAGES);
    const double = daemonCodeDouble();
    const environment = { FLYBALL_LISTEN: `127.0.0.1:${daemon.port}` };
    const { status, printed, noted } = await flyball(["up"], { environment, code: double.code });
    assert.equal(status, 0);
    assert.match(printed, /^shop: 2 services, 2 steps\nSTEP .*\ncreate shop-web-1 .*\ncreate shop-web-2 /);
    assert.equal(
      noted,
      "warning: a.yaml:3 services.web.build: is not honoured\nerror: services.db.labels: unknown label",
    );
    assert.deepEqual(daemon.heard.find((heard) => heard.request.startsWith("PUT"))?.body, request);
    assert.deepEqual(double.calls, []);
  });

  test("the options that find a project reach the reader as they were typed", async () => {
    await using daemon = await startRecordedDaemon(PROJECT_PAGES);
    const double = daemonCodeDouble();
    const environment = { FLYBALL_ADDRESS: daemon.address };
    const words =
      "up -f a.yaml --file b.yaml -p shop --profile x --profile y --env-file e --project-directory d";
    await flyball(words.split(" "), { environment, code: double.code });
    assert.deepEqual(double.composeOptions(), {
      files: ["a.yaml", "b.yaml"],
      projectName: "shop",
      profiles: ["x", "y"],
      envFiles: ["e"],
      projectDirectory: "d",
      environment,
      workingDirectory: "/srv/shop",
    });
  });

  test("files that cannot be used end with their error's status, and nothing is started", async () => {
    const double = daemonCodeDouble();
    const invocation = { environment: await nobodyThere(), code: double.code };
    const { status, noted } = await flyball(["up", "-f", "missing.yaml"], invocation);
    assert.equal(status, 2);
    assert.match(noted, /^COMPOSE_NOT_FOUND: /);
    assert.deepEqual(double.calls, []);
  });

  test("up with no daemon runs one here until it is stopped, and says how to remove what stays", async () => {
    const double = daemonCodeDouble();
    const { status, printed, noted } = await flyball(["up", "--data-dir", "/tmp/shop data"], {
      environment: await nobodyThere(),
      code: double.code,
      onNote: (text) => {
        if (text.includes("is ready")) process.emit("SIGTERM", "SIGTERM");
      },
    });
    assert.equal(status, 0);
    assert.match(printed, /^shop: 2 services/);
    assert.match(noted, /replicas of shop stay.*flyball down -p shop --data-dir '\/tmp\/shop data'$/);
    assert.deepEqual(double.calls, ["start", "PUT /v1/projects/shop", "stop"]);
    assert.equal(double.config()?.dataDirectory, "/tmp/shop data");
    assert.equal(process.listenerCount("SIGTERM"), 0);
  });

  test("a daemon that was named and does not answer is not replaced by another", async () => {
    const double = daemonCodeDouble();
    const environment = { FLYBALL_ADDRESS: `127.0.0.1:${await freePort()}` };
    for (const words of [["up"], ["plan"], ["down"], ["up", "--detach"]]) {
      assert.equal((await flyball(words, { environment, code: double.code })).status, 8, words.join(" "));
    }
    assert.deepEqual(double.calls, []);
  });

  test("a detached daemon must be found again, so it cannot have port 0", async () => {
    const double = daemonCodeDouble();
    const words = ["up", "--detach", "--listen", "127.0.0.1:0"];
    const { status, noted } = await flyball(words, { code: double.code });
    assert.equal(status, 2);
    assert.match(noted, /CONFIG_INVALID: a detached daemon needs a port/);
  });

  test("plan asks the daemon that runs, and computes the plan itself where none does", async () => {
    await using daemon = await startRecordedDaemon(PROJECT_PAGES);
    const double = daemonCodeDouble();
    const asked = { environment: { FLYBALL_LISTEN: `127.0.0.1:${daemon.port}` }, code: double.code };
    const first = await flyball(["plan"], asked);
    assert.deepEqual(double.calls, []);
    const second = await flyball(["plan"], { environment: await nobodyThere(), code: double.code });
    assert.deepEqual(double.calls, ["plan shop"]);
    assert.match(first.printed, /^shop: 2 services, 2 steps to do\n/);
    assert.equal(first.printed, second.printed);
  });

  test("down with no daemon runs one for as long as the removal takes, on a port of its own", async () => {
    const double = daemonCodeDouble();
    const { status, printed, noted } = await flyball(["down"], {
      environment: await nobodyThere(),
      code: double.code,
    });
    assert.equal(status, 0);
    assert.match(printed, /^shop: /);
    assert.match(noted, /one runs here until shop is removed/);
    assert.deepEqual(double.calls, ["start", "DELETE /v1/projects/shop", "DELETE /v1/projects/shop", "stop"]);
    assert.deepEqual(double.config()?.listen, { host: "127.0.0.1", port: 0 });
  });

  test("serve prints where it is ready, and stops the daemon when told to", async () => {
    const double = daemonCodeDouble();
    const environment = await nobodyThere();
    const running = flyball(["serve", "--engine", "process"], {
      environment,
      code: double.code,
      onPrint: () => process.emit("SIGINT", "SIGINT"),
    });
    const { status, printed } = await running;
    assert.equal(status, 0);
    assert.match(printed, /^flyball is ready at http:\/\/127\.0\.0\.1:\d+, its data in /);
    assert.deepEqual(double.calls, ["start", "stop"]);
    assert.equal(double.config()?.engine, "process");
  });
});
