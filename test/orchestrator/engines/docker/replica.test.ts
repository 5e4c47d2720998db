import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReplicaTemplate } from "../../../../core/types.ts";
import { replicaOf, unstartedReplicaOf } from "../../../../orchestrator/engines/docker/replica.ts";
import type { InspectedContainer } from "../../../../orchestrator/engines/docker/wire.ts";
import { anInspection, aService, aTemplate, CONTAINER_ID } from "./builders.ts";

const NOW_MS = Date.parse("2026-01-02T04:00:00Z");

function look(
  container: InspectedContainer,
  template: Partial<ReplicaTemplate> = {},
  place: { isStopping?: boolean; seenReadyAtMs?: number } = {},
) {
  const definition = aService("shop", "web", { template: aTemplate(template) });
  return replicaOf(
    container,
    {
      project: "shop",
      service: "shop_web",
      slot: 1,
      definition,
      isStopping: false,
      publishedHost: "127.0.0.1",
      ...place,
    },
    NOW_MS,
  );
}

describe("a container as a replica", () => {
  test("of compose: running, without a hash, ready since it started", () => {
    assert.deepEqual(look(anInspection({})), {
      id: anInspection({}).Id,
      project: "shop",
      service: "shop_web",
      slot: 1,
      name: "shop-web-1",
      state: "running",
      origin: "compose",
      imageId: anInspection({}).Image,
      pid: 4242,
      createdAtMs: Date.parse("2026-01-02T03:04:05Z"),
      startedAtMs: Date.parse("2026-01-02T03:04:06Z"),
      readyAtMs: Date.parse("2026-01-02T03:04:06Z"),
      endpoints: [],
      notEnforced: [],
    });
  });

  test("of Flyball: with the hash of its template", () => {
    const replica = look(
      anInspection({ config: { Labels: { "flyball.owner": "d", "flyball.template-hash": "h" } } }),
    );
    assert.equal(replica.origin, "flyball");
    assert.equal(replica.templateHash, "h");
  });

  const health = (Status: string) => ({ Status: "running", Health: { Status } });
  for (const [state, expected] of [
    [{ Status: "created" }, "created"],
    [{ Status: "running" }, "running"],
    [health("none"), "running"],
    [health("healthy"), "running"],
    [health("starting"), "starting"],
    [health("unhealthy"), "unhealthy"],
    [{ Status: "paused" }, "paused"],
    [{ Status: "restarting" }, "restarting"],
    [{ Status: "removing" }, "stopping"],
    [{ Status: "dead" }, "stopping"],
    [{ Status: "exited" }, "exited"],
  ] as const) {
    test(`the engine's ${JSON.stringify(state)} is ${expected}`, () => {
      assert.equal(look(anInspection({ state })).state, expected);
    });
  }

  test("one that was started in vain is still created, and has the engine's status for that", () => {
    const failed = look(anInspection({ state: { Status: "created", Pid: 0, ExitCode: 128 } }));
    assert.deepEqual([failed.state, failed.exitCode], ["created", 128]);
    const untried = look(anInspection({ state: { Status: "created", Pid: 0, ExitCode: 0 } }));
    assert.deepEqual([untried.state, untried.exitCode], ["created", undefined]);
  });

  test("one of ours that was never started is known from the list alone", () => {
    const labels = { "flyball.owner": "here", "flyball.template-hash": "hash-1" };
    const listed = {
      Id: CONTAINER_ID,
      Names: ["/shop-web-1"],
      State: "created",
      Created: 1_767_323_045,
      Labels: labels,
    };
    const place = {
      project: "shop",
      service: "shop_web",
      slot: 1,
      isStopping: false,
      publishedHost: "127.0.0.1",
    };
    assert.deepEqual(unstartedReplicaOf(listed, place), {
      id: CONTAINER_ID,
      project: "shop",
      service: "shop_web",
      slot: 1,
      name: "shop-web-1",
      state: "created",
      origin: "flyball",
      templateHash: "hash-1",
      createdAtMs: 1_767_323_045_000,
      endpoints: [],
      notEnforced: [],
    });
  });

  test("one that was told to stop is stopping until it has ended", () => {
    for (const state of [{ Status: "running" }, health("unhealthy"), { Status: "paused" }]) {
      assert.equal(look(anInspection({ state }), {}, { isStopping: true }).state, "stopping");
    }
    assert.equal(
      look(anInspection({ state: { Status: "exited" } }), {}, { isStopping: true }).state,
      "exited",
    );
  });

  test("the year 1 and process 0 are not known, and an exit status is told only of what has ended", () => {
    const created = look(
      anInspection({ state: { Status: "created", Pid: 0, StartedAt: "0001-01-01T00:00:00Z" } }),
    );
    for (const field of ["pid", "startedAtMs", "exitedAtMs", "exitCode", "oomKilled", "readyAtMs"] as const) {
      assert.equal(field in created, false, field);
    }
    const killed = look(
      anInspection({
        state: {
          Status: "exited",
          Pid: 0,
          ExitCode: 137,
          OOMKilled: true,
          FinishedAt: "2026-01-02T03:30:00Z",
        },
      }),
    );
    assert.equal(killed.exitCode, 137);
    assert.equal(killed.oomKilled, true);
    assert.equal(killed.exitedAtMs, Date.parse("2026-01-02T03:30:00Z"));
  });

  test("one that lived for a moment has not ended before it started, whatever the engine noted first", () => {
    const brief = look(
      anInspection({
        state: {
          Status: "exited",
          Pid: 0,
          StartedAt: "2026-01-02T03:30:00.413600Z",
          FinishedAt: "2026-01-02T03:30:00.410441Z",
        },
      }),
    );
    assert.equal(brief.exitedAtMs, brief.startedAtMs);
  });

  test("with a healthcheck it is ready since it was first seen so, else since the last unbroken row of successes", () => {
    const Log = [
      { End: "2026-01-02T03:10:00Z", ExitCode: 0 },
      { End: "2026-01-02T03:11:00Z", ExitCode: 1 },
      { End: "2026-01-02T03:12:00Z", ExitCode: 0 },
      { End: "2026-01-02T03:13:00Z", ExitCode: 0 },
    ];
    const container = anInspection({ state: { Health: { Status: "healthy", Log } } });
    assert.equal(look(container).readyAtMs, Date.parse("2026-01-02T03:12:00Z"));
    assert.equal(look(container, {}, { seenReadyAtMs: 5 }).readyAtMs, 5);
    assert.equal(look(anInspection({ state: health("healthy") })).readyAtMs, NOW_MS);
  });

  test("answers where it is published, on an address that can be called", () => {
    const Ports = {
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "32768" },
        { HostIp: "::", HostPort: "32769" },
      ],
      "81/tcp": [{ HostIp: "::", HostPort: "32770" }],
      "82/tcp": [{ HostIp: "192.0.2.7", HostPort: "82" }],
      "53/udp": [{ HostIp: "0.0.0.0", HostPort: "53" }],
    };
    assert.deepEqual(look(anInspection({ network: { Ports } })).endpoints, [
      { targetPort: 80, host: "127.0.0.1", port: 32768 },
      { targetPort: 81, host: "127.0.0.1", port: 32770 },
      { targetPort: 82, host: "192.0.2.7", port: 82 },
    ]);
  });

  test("answers at its own address where it is not published, the compose file's first port first", () => {
    const Ports = { "80/tcp": null, "8080/tcp": null };
    const endpoints = look(anInspection({ network: { Ports } }), {
      ports: [{ target: 8080, protocol: "tcp" }],
      probe: { kind: "tcp", port: 9000 },
    }).endpoints;
    assert.deepEqual(endpoints, [
      { targetPort: 8080, host: "172.18.0.2", port: 8080 },
      { targetPort: 9000, host: "172.18.0.2", port: 9000 },
      { targetPort: 80, host: "172.18.0.2", port: 80 },
    ]);
  });

  test("answers nowhere when it does not run, and at this host in its network", () => {
    const Ports = { "80/tcp": null };
    assert.deepEqual(
      look(anInspection({ state: { Status: "exited", Pid: 0 }, network: { Ports } })).endpoints,
      [],
    );
    const host = { NetworkMode: "host" };
    const config = { ExposedPorts: { "80/tcp": {} } };
    assert.deepEqual(look(anInspection({ host, config, network: { Ports: {}, Networks: {} } })).endpoints, [
      { targetPort: 80, host: "127.0.0.1", port: 80 },
    ]);
  });

  test("a limit that the engine dropped is told", () => {
    const Labels = { "flyball.owner": "d" };
    const resources = { limitCores: 0.5, limitMemoryBytes: 64, limitPids: 9 };
    const kept = { NanoCpus: 5e8, Memory: 64, PidsLimit: 9 };
    assert.deepEqual(look(anInspection({ config: { Labels }, host: kept }), { resources }).notEnforced, []);
    assert.deepEqual(
      look(anInspection({ config: { Labels }, host: { ...kept, Memory: 0, PidsLimit: null } }), { resources })
        .notEnforced,
      ["memory limit: the engine did not keep it", "pids limit: the engine did not keep it"],
    );
  });
});
