import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { targetGroups } from "../../../api/discovery/target-groups.ts";
import { replica, service } from "./builders.ts";

const endpoints = [
  { targetPort: 8080, host: "127.0.0.1", port: 28_001 },
  { targetPort: 9100, host: "::1", port: 28_002 },
];
const web = service("web", {
  metrics: { port: 9100, path: "/internal/metrics" },
  businessLabels: { team: "checkout", job: "till", instance: "one" },
});
const plain = service("plain");

describe("what Prometheus is told to scrape", () => {
  test("is the port that a service names, with its labels for relabelling and its business labels", () => {
    assert.deepEqual(
      targetGroups([web, plain], () => [replica("web", 1, "running", { endpoints })], "metrics"),
      [
        {
          targets: ["[::1]:28002"],
          labels: {
            team: "checkout",
            __meta_flyball_project: "shop",
            __meta_flyball_service: "web",
            __meta_flyball_service_id: "shop_web",
            __meta_flyball_replica: "shop-web-1",
            __meta_flyball_replica_id: "web-1",
            __meta_flyball_slot: "1",
            __meta_flyball_state: "running",
            __meta_flyball_port: "9100",
            __metrics_path__: "/internal/metrics",
          },
        },
      ],
    );
  });

  test("is every port of every service when it asks for all", () => {
    const groups = targetGroups([web], () => [replica("web", 1, "running", { endpoints })], "all");
    const seen = groups.map(({ targets, labels }) => [
      ...targets,
      labels["__meta_flyball_port"],
      labels["__metrics_path__"],
    ]);
    assert.deepEqual(seen, [
      ["127.0.0.1:28001", "8080", "/metrics"],
      ["[::1]:28002", "9100", "/internal/metrics"],
    ]);
  });

  test("has replicas that run and are not ready, and none that ended or stops, by slot", () => {
    const states = ["exited", "stopping", "unhealthy", "starting", "running", "paused", "created"] as const;
    const replicas = states.map((state, index) => replica("web", 9 - index, state, { endpoints }));
    const groups = targetGroups([web], () => replicas, "metrics");
    assert.deepEqual(
      groups.map(({ labels }) => `${labels["__meta_flyball_slot"]} ${labels["__meta_flyball_state"]}`),
      ["5 running", "6 starting", "7 unhealthy"],
    );
  });
});
