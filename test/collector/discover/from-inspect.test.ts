import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { containerEvent } from "../../../collector/discover/container-events.ts";
import type { InspectedContainer } from "../../../collector/discover/engine-answers.ts";
import { discoveredFrom } from "../../../collector/discover/from-inspect.ts";
import { runningContainer } from "./scripted-engine.ts";

const found = (more: Partial<InspectedContainer>) => {
  const container = discoveredFrom({ ...runningContainer("web"), ...more });
  assert.ok(container !== undefined);
  return container;
};

describe("what an engine says of a container", () => {
  test("makes it one that can be read only while it runs", () => {
    for (const State of [
      {},
      { Running: false, Pid: 0 },
      { Running: true, Pid: 0 },
      { Running: false, Pid: 7 },
    ]) {
      assert.equal(discoveredFrom({ Id: "web", State }), undefined);
    }
    assert.deepEqual(discoveredFrom({ Id: "0123456789abcdef", State: { Running: true, Pid: 7 } }), {
      id: "0123456789abcdef",
      kind: "container",
      pid: 7,
      name: "0123456789ab",
      labels: {},
      network: "own",
      limits: {},
      volumes: [],
    });
  });

  test("tells its limits, whichever way they were given, and none where there are none", () => {
    const limits = (HostConfig: InspectedContainer["HostConfig"]) =>
      found({ HostConfig: HostConfig ?? {} }).limits;
    assert.deepEqual(limits({ NanoCpus: 1_500_000_000, Memory: 1024 }), {
      cpuQuotaMicroseconds: 150_000,
      cpuPeriodMicroseconds: 100_000,
      memoryBytes: 1024,
    });
    assert.deepEqual(limits({ CpuQuota: 10_000, CpuPeriod: 50_000, CpuShares: 512 }), {
      cpuQuotaMicroseconds: 10_000,
      cpuPeriodMicroseconds: 50_000,
      cpuShares: 512,
    });
    assert.deepEqual(
      limits({ NanoCpus: 0, CpuQuota: -1, Memory: 0, MemorySwap: -1, MemoryReservation: 0 }),
      {},
    );
  });

  test("tells how its network is joined, and an address only where it has one", () => {
    const network = (NetworkMode: string) => found({ HostConfig: { NetworkMode } }).network;
    assert.deepEqual(
      ["none", "host", "bridge", "shop_default", "container:abc", "ns:/run/netns/x", "slirp4netns"].map(
        network,
      ),
      ["none", "host", "own", "own", "shared", "shared", "own"],
    );
    const Networks = { none: null, first: { IPAddress: "" }, second: { IPAddress: "10.0.0.2" } };
    assert.equal(found({ NetworkSettings: { IPAddress: "", Networks } }).address, "10.0.0.2");
    assert.equal(found({ HostConfig: { NetworkMode: "host" } }).address, "127.0.0.1");
    assert.equal(found({}).address, undefined);
  });

  test("tells of volumes, and of no start that never was", () => {
    const container = found({
      Created: "not a time",
      State: { Running: true, Pid: 7, StartedAt: "0001-01-01T00:00:00Z", Health: { Status: "none" } },
      Mounts: [
        { Type: "bind", Source: "/srv", Destination: "/srv" },
        { Type: "volume", Name: "data", Source: "/volumes/data", Destination: "/data" },
      ],
    });
    assert.deepEqual(container.volumes, [{ name: "data", path: "/volumes/data", target: "/data" }]);
    assert.deepEqual(
      [container.createdAtMs, container.startedAtMs, container.health],
      [undefined, undefined, undefined],
    );
  });
});

describe("an engine's event", () => {
  const told = (Action: string, Type = "container") => containerEvent({ Type, Action, Actor: { ID: "web" } });

  test("says what became of a container, in Docker's words and in Podman's", () => {
    const kinds = ["start", "die", "died", "oom", "rename", "update"].map((action) => told(action)?.kind);
    assert.deepEqual(kinds, ["started", "ended", "ended", "oom", "changed", "changed"]);
    assert.deepEqual(told("health_status: healthy"), { kind: "health", id: "web", health: "healthy" });
    // Podman does not say which.
    assert.deepEqual(told("health_status"), { kind: "changed", id: "web" });
  });

  test("means nothing here when it is of anything else", () => {
    for (const action of ["exec_start: sh", "create", "attach", "kill", "pause", "destroy", ""]) {
      assert.equal(told(action), undefined);
    }
    assert.equal(told("start", "image"), undefined);
    assert.equal(containerEvent({ Type: "container", Action: "start" }), undefined);
    assert.equal(containerEvent({}), undefined);
  });
});
