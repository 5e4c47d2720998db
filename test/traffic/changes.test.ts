import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { changesTo, type RunningServer } from "../../traffic/changes.ts";
import { runtimeLines } from "../../traffic/haproxy/commands.ts";
import { replica, service, table } from "./builders.ts";

const has = (name: string, more: Partial<RunningServer> = {}): RunningServer => ({
  backend: "web:80",
  name,
  host: "10.0.0.1",
  port: 80,
  weight: 100,
  open: true,
  ...more,
});

/** The lines that HAProxy is told, with two replicas `a` and `b` wanted. */
function told(servers: readonly RunningServer[], { sticky = false, host = "10.0.0.1" } = {}): string[] {
  const endpoints = [{ targetPort: 80, host, port: 80 }];
  const wanted = table({
    services: [service("web", undefined, { sticky })],
    replicas: ["a", "b"].map((id) => replica(id, "web", { endpoints })),
  });
  const changes = changesTo({ table: wanted, structure: "s" }, { structure: "s", servers });
  return changes.kind === "commands" ? changes.commands.flatMap(runtimeLines) : [changes.kind];
}

describe("what a running balancer is told", () => {
  test("is nothing when it has what it should have", () => {
    assert.deepEqual(told([has("a"), has("b")]), ["none"]);
  });

  test("brings in those that come before it lets go those that leave", () => {
    assert.deepEqual(told([has("a"), has("old"), has("older", { open: false })]), [
      "add server web:80/b 10.0.0.1:80 weight 100",
      "set server web:80/b state ready",
      "set server web:80/old state maint",
      "del server web:80/older",
    ]);
  });

  test("says where a replica answers now, how much it takes, and that it is back", () => {
    assert.deepEqual(told([has("a", { port: 8080 }), has("b", { weight: 20, open: false })]), [
      "set server web:80/a addr 10.0.0.1 port 80",
      "set server web:80/b weight 100",
      "set server web:80/b state ready",
    ]);
  });

  test("gives a server that is added its address in a second step where it needs a cookie", () => {
    assert.deepEqual(told([has("a")], { sticky: true }), [
      "add server web:80/b 127.255.255.254:1 weight 100",
      "set server web:80/b addr 10.0.0.1 port 80",
      "set server web:80/b state ready",
    ]);
    assert.match(told([], { sticky: true, host: "fd00::1" })[0] ?? "", /^add server web:80\/a \[100::1\]:1 /);
    assert.match(told([], { host: "fd00::1" })[0] ?? "", /^add server web:80\/a \[fd00::1\]:80 /);
  });

  test("is not enough where anything but servers is another", () => {
    const { kind } = changesTo({ table: table({}), structure: "new" }, { structure: "old", servers: [] });
    assert.equal(kind, "reload");
  });
});
