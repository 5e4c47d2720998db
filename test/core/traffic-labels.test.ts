import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, said } from "./decode-labels.ts";

const trafficOf = (labels: Record<string, string>) => decode(labels).traffic;

describe("labels of traffic", () => {
  test("one of them opens a door for every host name", () => {
    assert.deepEqual(trafficOf({ "lb.port": "8080" }), {
      doors: [{ mode: "http", port: 8080, domains: [], path: "/" }],
      sticky: false,
      timeoutMs: 60_000,
    });
  });

  test("name several hosts, in any case, and a path without its last slash", () => {
    assert.deepEqual(
      trafficOf({
        "lb.port": "80",
        "lb.domain": "Shop.example.com, www.shop.example.com",
        "lb.path": "/api/",
        "lb.sticky": "on",
        "lb.timeout": "5m",
      }),
      {
        doors: [
          { mode: "http", port: 80, domains: ["shop.example.com", "www.shop.example.com"], path: "/api" },
        ],
        sticky: true,
        timeoutMs: 300_000,
      },
    );
  });

  test("of a tcp door say where to listen, or the replica's own port says it", () => {
    const doorsOf = (labels: Record<string, string>) => trafficOf({ "lb.mode": "tcp", ...labels })?.doors;
    const tcp = { mode: "tcp", domains: [], path: "/" };
    assert.deepEqual(doorsOf({ "lb.port": "5432" }), [{ ...tcp, port: 5432, listen: { port: 5432 } }]);
    assert.deepEqual(doorsOf({ "lb.listen": "0.0.0.0:15432" }), [
      { ...tcp, listen: { host: "0.0.0.0", port: 15_432 } },
    ]);
    assert.equal(doorsOf({}), undefined);
    assert.deepEqual(said(decode({ "lb.mode": "tcp" })), [
      "error lb.mode: tcp needs lb.port or lb.listen beside it, to know where to listen",
    ]);
  });

  test("of another platform keep clients together unless they say otherwise, and may name several ways in", () => {
    const routes = { "aliyun.routing.port_80": "http://shop.example.com/cart;shop" };
    assert.deepEqual(trafficOf(routes), {
      doors: [
        { mode: "http", port: 80, domains: ["shop.example.com"], path: "/cart" },
        { mode: "http", port: 80, domains: ["shop", "shop.localhost"], path: "/" },
      ],
      sticky: true,
      timeoutMs: 60_000,
    });
    assert.equal(trafficOf({ ...routes, "aliyun.routing.session_sticky": "false" })?.sticky, false);
    assert.deepEqual(trafficOf({ "aliyun.lb.port_3306": "tcp://my-balancer:13306" })?.doors, [
      { mode: "tcp", port: 3306, domains: [], path: "/", listen: { port: 13_306 } },
    ]);
  });

  test("that cannot be used are refused with what was expected, and open nothing", () => {
    for (const labels of [
      { "lb.port": "0" },
      { "lb.domain": "not a host" },
      { "lb.domain": "" },
      { "lb.path": "api" },
      { "lb.port": "80", "lb.path": "/a b" },
      { "lb.port": "80", "lb.path": '/a"}' },
      { "lb.port": "80", "lb.mode": "udp" },
      { "lb.port": "80", "lb.mode": "tcp", "lb.domain": "a.example" },
      { "lb.port": "80", "lb.mode": "tcp", "lb.sticky": "true" },
      { "lb.listen": "example.com:80" },
      { "lb.sticky": "true" },
      { "aliyun.lb.port_53": "udp://dns:53" },
      { "aliyun.lb.port_443": "https://web:443" },
      { "aliyun.lb.port_99999": "tcp://web:443" },
      { "aliyun.routing.port_80": "tcp://web" },
      { "aliyun.routing.port_80": ";" },
      { "lb.port": "80", "aliyun.routing.port_81": "?" },
    ] satisfies Record<string, string>[]) {
      const { traffic, diagnostics } = decode(labels);
      assert.equal(traffic, undefined, JSON.stringify(labels));
      assert.ok(
        diagnostics.some(({ severity }) => severity === "error"),
        JSON.stringify(labels),
      );
    }
  });

  test("that ask for TLS are served without it, and that is said", () => {
    const labels = { "aliyun.routing.port_443": "https://shop.example.com" };
    assert.deepEqual(trafficOf(labels)?.doors[0]?.domains, ["shop.example.com"]);
    assert.match(said(decode(labels))[0] ?? "", /^warning aliyun\.routing\.port_443: is served without TLS/);
  });

  test("make rules on requests possible", () => {
    assert.equal(decode({ "lb.port": "80", "autoscale.max_rps": "100" }).scaling?.rules[0]?.metric, "rps");
  });
});
