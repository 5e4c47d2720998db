import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../core/clock.ts";
import type { Endpoint, ObservedReplica, Probe, Service } from "../../core/types.ts";
import { Probes } from "../../orchestrator/probes/probes.ts";
import { replica, service, template } from "./builders.ts";

const PATIENCE_MS = 20_000;

async function listen(t: TestContext, server: Server): Promise<Endpoint> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { targetPort: 80, host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** A port where nobody listens. */
async function nowhere(): Promise<Endpoint> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { targetPort: 80, host: "127.0.0.1", port };
}

function serve(t: TestContext, answer: RequestListener): Promise<Endpoint> {
  const server = createServer(answer);
  t.after(() => server.closeAllConnections());
  return listen(t, server);
}

/** One replica of a service with a probe, looked at as the passes of the orchestrator do. */
class Probed {
  readonly probes: Probes;
  changes = 0;
  service: Service;

  constructor(t: TestContext, probe: Probe, changes: Partial<Service> = {}) {
    this.service = service("web", { template: template({ probe }), ...changes });
    this.probes = new Probes({
      run: () => Promise.reject(new Error("nothing runs commands here")),
      clock: systemClock,
      onChange: () => {
        this.changes += 1;
      },
    });
    t.after(() => this.probes[Symbol.asyncDispose]());
  }

  see(...replicas: ObservedReplica[]): readonly ObservedReplica[] {
    return this.probes.apply(replicas, (one) => (one.service === this.service.id ? this.service : undefined));
  }

  look(...replicas: ObservedReplica[]): string[] {
    return this.see(...replicas).map(({ state }) => state);
  }

  async until(state: string, one: ObservedReplica): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (this.look(one)[0] !== state) {
      assert.ok(performance.now() < deadlineMs, `never ${state}`);
      await sleep(20);
    }
  }
}

const HTTP: Probe = { kind: "http", path: "/healthz" };
const TCP: Probe = { kind: "tcp" };
const at = (endpoint: Endpoint, changes: Partial<ObservedReplica> = {}) =>
  replica("web", 1, "running", { endpoints: [endpoint], startedAtMs: 1, ...changes });

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;

describe("a replica with an HTTP probe", { concurrency: true }, () => {
  test("is starting until it answers well, unhealthy after three failures, and running again after one success", async (t) => {
    let status = 503;
    const asked: string[] = [];
    const endpoint = await serve(t, (request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(status).end();
    });
    const probed = new Probed(t, HTTP);
    const one = at(endpoint);
    assert.deepEqual(probed.look(one), ["starting"]);
    while (asked.length < 3) await sleep(10);
    assert.deepEqual(probed.look(one), ["starting"], "what was never ready cannot become unhealthy");
    status = 200;
    await probed.until("running", one);
    assert.equal(probed.changes, 1);
    const before = asked.length;
    status = 500;
    await probed.until("unhealthy", one);
    assert.equal(asked.length - before, 3);
    status = 302;
    await probed.until("running", one);
    assert.equal(probed.changes, 3);
    assert.deepEqual([...new Set(asked)], ["/healthz"]);
  });

  test("is not ready where nobody listens", async (t) => {
    const probed = new Probed(t, HTTP);
    const one = at(await nowhere());
    probed.look(one);
    await sleep(250);
    assert.deepEqual(probed.look(one), ["starting"]);
  });

  test("is not ready where somebody accepts and never answers", async (t) => {
    const server = createTcpServer();
    const sockets: AsyncDisposable[] = [];
    server.on("connection", (socket) => {
      sockets.push(socket);
      t.after(() => socket.destroy());
    });
    const probed = new Probed(t, HTTP);
    const one = at(await listen(t, server));
    probed.look(one);
    while (sockets.length < 2) await sleep(20);
    assert.deepEqual(probed.look(one), ["starting"], "the first question was given up");
  });

  test("that answers without an end is ready, and holds one connection only", async (t) => {
    const server = createServer((_, response) => response.writeHead(200).write("more to come"));
    let asked = 0;
    server.on("connection", () => {
      asked += 1;
    });
    t.after(() => server.closeAllConnections());
    const probed = new Probed(t, HTTP);
    const one = at(await listen(t, server));
    await probed.until("running", one);
    while (asked < 3) await sleep(20);
    const open = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    assert.ok(open <= 2, `${open} connections of ${asked} questions are open`);
    assert.deepEqual(probed.look(one), ["running"]);
  });

  test("is asked anew when it was restarted", async (t) => {
    let status = 200;
    const probed = new Probed(t, HTTP);
    const endpoint = await serve(t, (_, response) => response.writeHead(status).end());
    await probed.until("running", at(endpoint));
    status = 503;
    const restarted = at(endpoint, { startedAtMs: 2 });
    assert.deepEqual(probed.look(restarted), ["starting"]);
    await sleep(150);
    assert.deepEqual(probed.look(restarted), ["starting"]);
    status = 200;
    await probed.until("running", restarted);
  });

  test("is asked at the port that the probe names, and is starting while it has no such port", async (t) => {
    const endpoint = await serve(t, (_, response) => response.writeHead(200).end());
    const probed = new Probed(t, { ...HTTP, port: 8080 });
    assert.deepEqual(probed.look(at(endpoint)), ["starting"]);
    const other = { ...(await nowhere()), targetPort: 80 };
    const one = replica("web", 1, "running", { endpoints: [other, { ...endpoint, targetPort: 8080 }] });
    await probed.until("running", one);
  });
});

describe("a replica that no longer lives", { concurrency: true }, () => {
  const isDead = (probed: Probed, one: ObservedReplica) => probed.see(one).some(({ live }) => live === false);

  test("is one whose probe has failed as often as its label allows, after it was ready", async (t) => {
    let status = 200;
    const endpoint = await serve(t, (_request, response) => response.writeHead(status).end());
    const [strict, patient] = [new Probed(t, HTTP, { livenessFailures: 1 }), new Probed(t, HTTP)];
    await Promise.all([strict.until("running", at(endpoint)), patient.until("running", at(endpoint))]);
    assert.equal(isDead(strict, at(endpoint)), false);
    status = 503;
    await strict.until("unhealthy", at(endpoint));
    assert.equal(isDead(strict, at(endpoint)), true);
    await patient.until("unhealthy", at(endpoint));
    assert.equal(isDead(patient, at(endpoint)), false, "without the label a probe decides readiness alone");
  });

  test("is one that the engine's healthcheck has given up", (t) => {
    const probed = new Probed(t, TCP);
    assert.equal(isDead(probed, replica("web", 1, "unhealthy")), true);
    assert.equal(isDead(probed, replica("web", 1, "starting")), false);
  });
});

describe("a replica with a TCP probe", () => {
  test("is running once its port accepts, and is asked anew where it answers elsewhere", async (t) => {
    const probed = new Probed(t, TCP);
    const closed = at(await nowhere());
    probed.look(closed);
    await sleep(150);
    assert.deepEqual(probed.look(closed), ["starting"]);
    const server = createTcpServer((socket) => socket.on("error", () => undefined));
    const open = await listen(t, server);
    await probed.until("running", at(open));
    assert.deepEqual(probed.look(closed), ["starting"]);
  });
});

describe("probing", () => {
  test("leaves what has no probe, and what does not run, as the engine says", async (t) => {
    const probed = new Probed(t, HTTP);
    const endpoint = await nowhere();
    const others = [
      replica("db", 1),
      replica("web", 2, "exited", { endpoints: [endpoint] }),
      replica("web", 3, "starting", { endpoints: [endpoint] }),
      replica("web", 4, "stopping", { endpoints: [endpoint] }),
    ];
    assert.deepEqual(probed.look(...others), ["running", "exited", "starting", "stopping"]);
  });

  test("ends for a replica that went, and for all when it is over: no timer stays", async (t) => {
    const endpoint = await serve(t, (_, response) => response.writeHead(200).end());
    const before = timers();
    const probed = new Probed(t, HTTP);
    const [one, two] = [at(endpoint), at(endpoint, { id: "web-2", slot: 2 })];
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!probed.look(one, two).every((state) => state === "running")) {
      assert.ok(performance.now() < deadlineMs);
      await sleep(20);
    }
    assert.equal(timers(), before + 2);
    probed.look(two);
    assert.equal(timers(), before + 1);
    await probed.probes[Symbol.asyncDispose]();
    assert.equal(timers(), before);
  });

  test("that is over while a question is open asks no other", async (t) => {
    let asked = 0;
    const endpoint = await serve(t, (_, response) => {
      asked += 1;
      setTimeout(() => response.writeHead(200).end(), 50);
    });
    const probed = new Probed(t, HTTP);
    probed.look(at(endpoint));
    while (asked === 0) await sleep(5);
    await probed.probes[Symbol.asyncDispose]();
    await sleep(300);
    assert.equal(asked, 1);
    assert.equal(probed.changes, 0);
  });
});
