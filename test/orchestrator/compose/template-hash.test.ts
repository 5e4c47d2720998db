import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReplicaTemplate } from "../../../core/types.ts";
import { templateHash } from "../../../orchestrator/compose/template-hash.ts";
import { template } from "../builders.ts";

const base: ReplicaTemplate = template({
  image: "shop/web:1",
  environment: { A: "1", B: "2" },
  labels: { "com.example.tier": "front", "autoscale.max_cpu": "70" },
  ports: [{ target: 80, protocol: "tcp" }],
  resources: { limitCores: 0.5 },
  restart: { condition: "any", delayMs: 1_000, compose: "always" },
});
const hashOf = (changes: Partial<ReplicaTemplate>) => templateHash({ ...base, ...changes });

describe("the hash of a template", () => {
  const same: Record<string, Partial<ReplicaTemplate>> = {
    "the order of keys": {
      environment: { B: "2", A: "1" },
      ports: [{ protocol: "tcp", target: 80 }],
    },
    "a threshold": { labels: { ...base.labels, "autoscale.max_cpu": "80" } },
    "labels that steer Flyball or are business": {
      labels: {
        "com.example.tier": "front",
        "aliyun.auto_scaling.max_cpu": "3",
        "business.team": "checkout",
        "probe.http": "/healthz",
        "alert.cpu": "90",
      },
    },
    "a probe": { probe: { kind: "tcp", port: 80 } },
    "when Flyball restarts it": {
      restart: { condition: "none", delayMs: 9_000, maxAttempts: 3, compose: "always" },
    },
  };
  for (const [what, changes] of Object.entries(same)) {
    test(`stays with ${what}`, () => assert.equal(hashOf(changes), hashOf({})));
  }

  const other: Record<string, Partial<ReplicaTemplate>> = {
    "the image": { image: "shop/web:2" },
    "the environment": { environment: { A: "1", B: "3" } },
    "the command": { command: ["serve", "--fast"] },
    "an entrypoint that is cleared": { entrypoint: [] },
    "a label of the container": { labels: { "com.example.tier": "back", "autoscale.max_cpu": "70" } },
    "a limit": { resources: { limitCores: 1 } },
    "a port": { ports: [{ target: 81, protocol: "tcp" }] },
    "a mount": { mounts: [{ type: "tmpfs", target: "/run", readOnly: false }] },
    "the order of the command's words": { command: ["a", "b"] },
    "the order of its words the other way round": { command: ["b", "a"] },
    "the stop signal": { stopSignal: "SIGINT" },
    "what the engine itself is told of restarts": {
      restart: { condition: "any", delayMs: 1_000, compose: "unless-stopped" },
    },
    "a container option": { container: { readOnly: true } },
  };
  test("is another for each change that makes another replica", () => {
    const hashes = Object.entries(other).map(([what, changes]) => [hashOf(changes), what] as const);
    assert.equal(new Map([...hashes, [hashOf({}), "none"] as const]).size, hashes.length + 1);
  });

  test("is the same on every machine and in every version", () => {
    assert.equal(templateHash(template()), "0fc48a144cc2d315df00b06e3c05c3e2");
  });
});
