import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { discoveredFrom } from "../../../collector/discover/from-inspect.ts";
import { joinTargets } from "../../../collector/discover/from-targets.ts";
import type { Target } from "../../../core/types.ts";
import { runningContainer } from "./scripted-engine.ts";

const target = (replica: string, more: Partial<Target> = {}): Target => ({
  replica,
  service: "shop_web",
  pid: 7,
  kind: "container",
  ...more,
});
const known = (id: string) => {
  const container = discoveredFrom(runningContainer(id, 100));
  assert.ok(container !== undefined);
  return [id, { ...container, labels: { "com.docker.compose.service": "web", tier: "front" } }] as const;
};

describe("what the collector reads", () => {
  test("is every container of the engine, and every replica that the daemon names", () => {
    const joined = joinTargets(new Map([known("stranger"), known("web-1")]), [
      target("web-1"),
      target("web-2"),
    ]);
    assert.deepEqual([...joined.keys()].sort(), ["stranger", "web-1", "web-2"]);
  });

  test("is called by the engine's words, with the daemon's labels over its own", () => {
    const labels = { "business.team": "checkout", tier: "back" };
    const endpoints = [{ targetPort: 80, host: "127.0.0.1", port: 32_768 }];
    const joined = joinTargets(new Map([known("web-1")]), [
      target("web-1", { name: "ours", labels, endpoints, pid: 1 }),
    ]).get("web-1");
    assert.equal(joined?.name, "web-1");
    assert.equal(joined?.pid, 100);
    assert.deepEqual(joined?.labels, { "com.docker.compose.service": "web", ...labels });
    assert.deepEqual(joined?.endpoints, endpoints);
  });

  test("has the daemon's words where no engine shows it, as for a process", () => {
    const limits = { cores: 0.5, memoryBytes: 1024 };
    const process = target("p1", {
      kind: "process",
      name: "shop_web.1",
      labels: { "business.team": "x" },
      limits,
    });
    assert.deepEqual(joinTargets(new Map(), [process]).get("p1"), {
      id: "p1",
      kind: "process",
      pid: 7,
      name: "shop_web.1",
      labels: { "business.team": "x" },
      network: "host",
      limits: { cpuQuotaMicroseconds: 50_000, cpuPeriodMicroseconds: 100_000, memoryBytes: 1024 },
      volumes: [],
    });
    assert.equal(joinTargets(new Map(), [target("c1")]).get("c1")?.name, "c1");
  });
});
