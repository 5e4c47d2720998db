import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ReplicaTemplate } from "../../../../core/types.ts";
import { planFromTemplate, stopSeconds } from "../../../../orchestrator/engines/docker/template-body.ts";
import { aProject, aService, aTemplate } from "./builders.ts";

const NAMES = { imageId: "sha256:1111" };

function planOf(template: Partial<ReplicaTemplate>, names = {}) {
  const service = aService("shop", "web", {
    template: aTemplate(template),
    dependsOn: [
      { service: "shop_db", condition: "healthy", required: true },
      { service: "shop_seed", condition: "completed", required: true },
    ],
  });
  const identity = { project: aProject("shop", [service]), service, slot: 3, instanceId: "daemon-1" };
  return planFromTemplate(identity, { ...NAMES, ...names });
}

describe("a container from a template", () => {
  test("the smallest one carries compose's labels and ours, and restarts by nobody but Flyball", () => {
    assert.deepEqual(planOf({ networks: [{ network: "shop_default", aliases: ["shop"] }] }), {
      name: "shop-web-3",
      body: {
        Image: "shop/web:1.4",
        Env: [],
        Labels: {
          "com.docker.compose.project": "shop",
          "com.docker.compose.service": "web",
          "com.docker.compose.container-number": "3",
          "com.docker.compose.oneoff": "False",
          "com.docker.compose.config-hash": "hash-1",
          "com.docker.compose.image": "sha256:1111",
          "com.docker.compose.depends_on":
            "db:service_healthy:false,seed:service_completed_successfully:false",
          "com.docker.compose.version": "2.26.1",
          "com.docker.compose.project.working_dir": "/srv/shop",
          "com.docker.compose.project.config_files": "/srv/shop/compose.yaml",
          "flyball.owner": "daemon-1",
          "flyball.project": "shop",
          "flyball.service": "web",
          "flyball.slot": "3",
          "flyball.template-hash": "hash-1",
        },
        StopTimeout: 10,
        HostConfig: { NetworkMode: "shop_default", RestartPolicy: { Name: "no" } },
      },
      seats: [{ network: "shop_default", endpoint: { Aliases: ["shop-web-3", "web", "shop"] } }],
    });
  });

  test("every option of a container arrives where the API has it", () => {
    const { body, platform, name } = planOf(
      {
        entrypoint: [],
        command: ["serve", "--all"],
        environment: { A: "1", EMPTY: "", WITH_EQUALS: "x=y" },
        workingDirectory: "/srv",
        user: "1000:1000",
        labels: { "business.team": "checkout" },
        stopSignal: "SIGQUIT",
        stopGraceMs: 1_500,
        restart: { condition: "on-failure", delayMs: 0, compose: "on-failure:4" },
        healthcheck: {
          test: ["CMD", "true"],
          intervalMs: 1_500,
          timeoutMs: 250,
          retries: 3,
          startPeriodMs: 10_000,
          startIntervalMs: 100,
        },
        resources: {
          limitCores: 0.3,
          limitMemoryBytes: 64,
          reservedCores: 0.1,
          reservedMemoryBytes: 32,
          limitPids: 50,
        },
        container: {
          containerName: "the-web",
          hostname: "web",
          domainName: "example.org",
          init: true,
          tty: true,
          stdinOpen: true,
          privileged: true,
          readOnly: true,
          capAdd: ["NET_ADMIN"],
          capDrop: ["ALL"],
          securityOpt: ["no-new-privileges:true"],
          groupAdd: ["audio"],
          devices: [{ source: "/dev/fuse", target: "/dev/fuse0", permissions: "rwm" }],
          dns: ["1.1.1.1"],
          dnsSearch: ["example.org"],
          dnsOptions: ["ndots:1"],
          extraHosts: ["db:10.0.0.1"],
          sysctls: { "net.core.somaxconn": "1024" },
          ulimits: [{ name: "nofile", soft: 1, hard: 2 }],
          shmSizeBytes: 1024,
          pidMode: "host",
          ipcMode: "service:db",
          usernsMode: "host",
          cgroupParent: "/shop",
          runtime: "runc",
          platform: "linux/amd64",
          oomScoreAdj: -5,
          oomKillDisable: true,
          memorySwapBytes: 128,
          memorySwappiness: 10,
          cpuShares: 512,
          cpuset: "0-1",
          logDriver: "json-file",
          logOptions: { "max-size": "1m" },
        },
      },
      { pidMode: "host", ipcMode: "container:abc" },
    );
    assert.equal(name, "the-web");
    assert.equal(platform, "linux/amd64");
    const { Labels, ...rest } = body;
    assert.equal(Labels?.["business.team"], "checkout");
    assert.deepEqual(rest, {
      Image: "shop/web:1.4",
      Entrypoint: [],
      Cmd: ["serve", "--all"],
      Env: ["A=1", "EMPTY=", "WITH_EQUALS=x=y"],
      WorkingDir: "/srv",
      User: "1000:1000",
      Hostname: "web",
      Domainname: "example.org",
      Tty: true,
      OpenStdin: true,
      StopSignal: "SIGQUIT",
      StopTimeout: 2,
      Healthcheck: {
        Test: ["CMD", "true"],
        Interval: 1_500_000_000,
        Timeout: 250_000_000,
        Retries: 3,
        StartPeriod: 10_000_000_000,
        StartInterval: 100_000_000,
      },
      HostConfig: {
        NetworkMode: "none",
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 4 },
        NanoCpus: 300_000_000,
        Memory: 64,
        MemoryReservation: 32,
        PidsLimit: 50,
        MemorySwap: 128,
        MemorySwappiness: 10,
        CpuShares: 512,
        CpusetCpus: "0-1",
        OomScoreAdj: -5,
        OomKillDisable: true,
        CgroupParent: "/shop",
        ShmSize: 1024,
        Init: true,
        Privileged: true,
        ReadonlyRootfs: true,
        CapAdd: ["NET_ADMIN"],
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        GroupAdd: ["audio"],
        Dns: ["1.1.1.1"],
        DnsSearch: ["example.org"],
        DnsOptions: ["ndots:1"],
        ExtraHosts: ["db:10.0.0.1"],
        Sysctls: { "net.core.somaxconn": "1024" },
        PidMode: "host",
        IpcMode: "container:abc",
        UsernsMode: "host",
        Runtime: "runc",
        Devices: [{ PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse0", CgroupPermissions: "rwm" }],
        Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
        LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
      },
    });
  });

  test("ports: fixed, from a range, on one address, and chosen by the engine", () => {
    const { body } = planOf({
      ports: [
        { target: 80, protocol: "tcp", published: "8080" },
        { target: 80, protocol: "tcp", published: "8100-8109", hostIp: "127.0.0.1" },
        { target: 53, protocol: "udp" },
      ],
      exposedPorts: ["9000", "9001/udp", "80"],
    });
    assert.deepEqual(body.ExposedPorts, { "80/tcp": {}, "53/udp": {}, "9000/tcp": {}, "9001/udp": {} });
    assert.deepEqual(body.HostConfig.PortBindings, {
      "80/tcp": [
        { HostIp: "", HostPort: "8080" },
        { HostIp: "127.0.0.1", HostPort: "8100-8109" },
      ],
      "53/udp": [{ HostIp: "", HostPort: "" }],
    });
  });

  test("mounts: a bind whose source may be made is a bind string, because old engines know it in no other form", () => {
    const { body } = planOf({
      mounts: [
        {
          type: "bind",
          source: "/srv/a",
          target: "/a",
          readOnly: true,
          createHostPath: true,
          propagation: "rslave",
        },
        { type: "bind", source: "/srv/c:d", target: "/c", readOnly: false, createHostPath: true },
        { type: "bind", source: "/srv/b", target: "/b", readOnly: false, propagation: "shared" },
        { type: "volume", source: "shop_data", target: "/data", readOnly: false, noCopy: true },
        { type: "volume", target: "/scratch", readOnly: false },
        { type: "tmpfs", target: "/tmp", readOnly: false, tmpfsSizeBytes: 1024, tmpfsMode: 0o1777 },
      ],
    });
    assert.deepEqual(body.HostConfig.Binds, ["/srv/a:/a:ro,rslave"]);
    assert.deepEqual(body.HostConfig.Mounts, [
      { Type: "bind", Source: "/srv/c:d", Target: "/c", ReadOnly: false },
      {
        Type: "bind",
        Source: "/srv/b",
        Target: "/b",
        ReadOnly: false,
        BindOptions: { Propagation: "shared" },
      },
      {
        Type: "volume",
        Source: "shop_data",
        Target: "/data",
        ReadOnly: false,
        VolumeOptions: { NoCopy: true },
      },
      { Type: "volume", Target: "/scratch", ReadOnly: false },
      { Type: "tmpfs", Target: "/tmp", ReadOnly: false, TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 } },
    ]);
  });

  test("networks are joined in the template's order, with what each asks for", () => {
    const { body, seats } = planOf({
      networks: [
        { network: "shop_front", aliases: ["web", "www"] },
        { network: "shop_back", aliases: [], ipv4Address: "10.1.0.9", ipv6Address: "fd00::9" },
      ],
    });
    assert.equal(body.HostConfig.NetworkMode, "shop_front");
    assert.deepEqual(seats, [
      { network: "shop_front", endpoint: { Aliases: ["shop-web-3", "web", "www"] } },
      {
        network: "shop_back",
        endpoint: {
          Aliases: ["shop-web-3", "web"],
          IPAMConfig: { IPv4Address: "10.1.0.9", IPv6Address: "fd00::9" },
        },
      },
    ]);
  });

  test("a network mode of its own takes no seat in any network", () => {
    const plan = planOf({ networkMode: "service:db" }, { networkMode: "container:abc" });
    assert.equal(plan.body.HostConfig.NetworkMode, "container:abc");
    assert.deepEqual(plan.seats, []);
  });

  test("a grace is rounded up to whole seconds, so that half a second is no instant kill", () => {
    assert.deepEqual([0, 1, 500, 1_000, 1_001].map(stopSeconds), [0, 1, 1, 1, 2]);
  });
});
