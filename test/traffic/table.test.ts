import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serverName, type TrafficTable } from "../../traffic/table.ts";
import { door, replica, service, table } from "./builders.ts";

/** Back-end → its servers, with weights that are not full. */
function serving({ backends }: TrafficTable): Record<string, string[]> {
  return Object.fromEntries(
    backends.map(({ name, servers }) => [
      name,
      servers.map((one) => (one.weight === 100 ? one.name : `${one.name}@${one.weight}`)),
    ]),
  );
}

/** Address → what leads where behind it. */
function leading({ fronts }: TrafficTable): Record<string, string[]> {
  return Object.fromEntries(
    fronts.map(({ host, port, routes }) => [
      `${host}:${port}`,
      routes.map(({ domain = "*", path, backend }) => `${domain}${path} → ${backend}`),
    ]),
  );
}

describe("replicas in the table", () => {
  test("serve when they are ready, and not when they start, stop, drain or are ill", () => {
    const states = [
      "created",
      "starting",
      "running",
      "unhealthy",
      "paused",
      "restarting",
      "stopping",
      "exited",
    ] as const;
    const replicas = [
      ...states.map((state) => replica(state, "web", { state })),
      replica("drains", "web"),
      replica("other", "db"),
    ];
    const made = table({ services: [service("web")], replicas, draining: new Set(["drains"]) });
    assert.deepEqual(serving(made), { "web:80": ["running"] });
  });

  test("without the port that is asked for do not serve; without a port asked for their first one does", () => {
    const endpoints = [
      { targetPort: 9000, host: "10.0.0.2", port: 9000 },
      { targetPort: 80, host: "127.0.0.1", port: 32_768 },
    ];
    const services = [
      service("web", [door(), door({ port: 81, path: "/81" }), door({ mode: "http", path: "/first" })]),
    ];
    const { port: _, ...portless } = door({ path: "/first" });
    const made = table({
      services: [...services, service("any", [{ ...portless, domains: ["any.example"] }])],
      replicas: [replica("a", "web", { endpoints }), replica("b", "any", { endpoints })],
    });
    assert.deepEqual(serving(made), { "any:first": ["b"], "web:80": ["a"], "web:81": [] });
    assert.equal(made.backends[1]?.servers[0]?.port, 32_768);
    assert.equal(made.backends[0]?.servers[0]?.port, 9000);
  });

  test("come in little by little, but not when nobody else is there to take the load", () => {
    const nowMs = 1_000_000;
    const replicas = [replica("old", "web"), replica("new", "web"), replica("newer", "web")];
    const sinceMs = new Map([
      ["old", nowMs - 60_000],
      ["new", nowMs - 2_500],
      ["newer", nowMs],
    ]);
    const services = [service("web")];
    assert.deepEqual(serving(table({ services, replicas, sinceMs, nowMs })), {
      "web:80": ["new@60", "newer@20", "old"],
    });
    assert.deepEqual(serving(table({ services, replicas: replicas.slice(1), sinceMs, nowMs })), {
      "web:80": ["new", "newer"],
    });
  });

  test("that cannot be seen for now go on serving, unless they drain", () => {
    const services = [service("web")];
    const previous = table({ services, replicas: ["a", "b", "c"].map((id) => replica(id, "web")) });
    const seen = { services, replicas: [replica("a", "web", { state: "stopping" })], previous };
    assert.deepEqual(serving(table({ ...seen, complete: false, draining: new Set(["b"]) })), {
      "web:80": ["c"],
    });
    assert.deepEqual(serving(table({ ...seen, complete: true })), { "web:80": [] });
  });

  test("have names that HAProxy takes, whatever engine named them", () => {
    assert.equal(serverName("ab".repeat(32)), "abababababab");
    assert.equal(serverName("web/1 two"), "web-1-two");
  });
});

describe("doors in the table", () => {
  test("lead by host and path behind the shared address, and alone behind one of their own", () => {
    const made = table({
      services: [
        service("web", [door({ domains: ["a.example", "b.example"] })]),
        service("api", [door({ domains: ["a.example"], path: "/api" })]),
        service("rest"),
        service("db", [door({ mode: "tcp", port: 5432, listen: { port: 5432 } })]),
        service("own", [door({ listen: { host: "0.0.0.0", port: 9000 } })]),
      ],
    });
    assert.deepEqual(leading(made), {
      "0.0.0.0:9000": ["*/ → own:80"],
      "127.0.0.1:5432": ["*/ → db:5432:tcp"],
      "127.0.0.1:8080": [
        "*/ → rest:80",
        "a.example/ → web:80",
        "a.example/api → api:80",
        "b.example/ → web:80",
      ],
    });
    assert.deepEqual(made.held, []);
  });

  test("that two services claim stay with the first that had it; the other is held and told, until it goes", () => {
    const [zebra, ant] = [
      service("zebra", [door({ domains: ["a.example"] })]),
      service("ant", [door({ domains: ["a.example", "ant.example"] })]),
    ];
    const before = table({ services: [zebra] });
    const both = table({ services: [ant, zebra], owners: before.owners });
    assert.deepEqual(leading(both)["127.0.0.1:8080"], ["a.example/ → zebra:80", "ant.example/ → ant:80"]);
    assert.deepEqual(both.held, [{ service: "ant", what: "a.example/", reason: "zebra has it already" }]);
    const after = table({ services: [ant], owners: both.owners });
    assert.deepEqual(leading(after)["127.0.0.1:8080"], ["a.example/ → ant:80", "ant.example/ → ant:80"]);
    assert.deepEqual(after.held, []);
  });

  test("at an address that is taken, or used for something else, are held and told", () => {
    const tcp = (port: number) => [door({ mode: "tcp", port: 5432, listen: { port } })];
    const made = table({
      services: [
        service("one", tcp(5432)),
        service("two", tcp(5432)),
        service("three", tcp(8080)),
        service("four", tcp(6000)),
      ],
      taken: new Map([["127.0.0.1:6000", "another program listens on 127.0.0.1:6000"]]),
    });
    assert.deepEqual(leading(made), { "127.0.0.1:5432": ["*/ → one:5432:tcp"] });
    assert.deepEqual(
      made.held.map(({ service: of, reason }) => `${of}: ${reason}`),
      [
        "two: one has it already",
        "four: another program listens on 127.0.0.1:6000",
        "three: 127.0.0.1:8080 is used for something else already",
      ],
    );
  });

  test("of no service are no table", () => {
    const made = table({
      services: [{ ...service("web"), traffic: { doors: [], sticky: false, timeoutMs: 1 } }],
    });
    assert.deepEqual([made.fronts, made.backends], [[], []]);
  });
});
