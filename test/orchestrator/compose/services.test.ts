import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { translate, web } from "./translated.ts";

describe("limits", () => {
  test("are read from deploy.resources", async () => {
    const { web: service } = await web(`
deploy:
  resources:
    limits: { cpus: "0.5", memory: 256M, pids: 20 }
    reservations: { cpus: "0.25", memory: 128M }`);
    assert.deepEqual(service.template.resources, {
      limitCores: 0.5,
      limitMemoryBytes: 256 * 2 ** 20,
      limitPids: 20,
      reservedCores: 0.25,
      reservedMemoryBytes: 128 * 2 ** 20,
    });
  });

  test("are read from the service's own keys", async () => {
    const { web: service } = await web("cpus: 1.5\nmem_limit: 1g\nmem_reservation: 512m\npids_limit: 50");
    assert.deepEqual(service.template.resources, {
      limitCores: 1.5,
      limitMemoryBytes: 2 ** 30,
      reservedMemoryBytes: 2 ** 29,
      limitPids: 50,
    });
  });

  test("are read from a quota, with Docker's own period where none is given", async () => {
    const quota = await web("cpu_quota: 50000");
    assert.deepEqual(quota.web.template.resources, { limitCores: 0.5 });
    const both = await web("cpu_quota: 50000\ncpu_period: 25000");
    assert.deepEqual(both.web.template.resources, { limitCores: 2 });
  });

  test("of zero and less are none", async () => {
    const { web: service } = await web("cpus: 0\npids_limit: -1\ncpu_quota: -1\nmem_limit: 0");
    assert.deepEqual(service.template.resources, {});
  });
});

describe("restarting", () => {
  const restartOf = async (lines: string) => (await web(lines)).web.template.restart;

  test("is what restart: says", async () => {
    const delayMs = 1_000;
    assert.deepEqual(await restartOf("restart: always"), { condition: "any", delayMs, compose: "always" });
    assert.deepEqual(await restartOf("restart: unless-stopped"), {
      condition: "any",
      delayMs,
      compose: "unless-stopped",
    });
    assert.deepEqual(await restartOf("restart: on-failure:3"), {
      condition: "on-failure",
      delayMs,
      maxAttempts: 3,
      compose: "on-failure:3",
    });
    assert.deepEqual(await restartOf('restart: "no"'), { condition: "none", delayMs, compose: "no" });
    assert.deepEqual(await restartOf("expose: [80]"), { condition: "none", delayMs });
  });

  test("is what deploy.restart_policy says where both are written", async () => {
    const policy = "deploy: { restart_policy: { condition: on-failure, delay: 5s, max_attempts: 4 } }";
    assert.deepEqual(await restartOf(`restart: always\n${policy}`), {
      condition: "on-failure",
      delayMs: 5_000,
      maxAttempts: 4,
    });
    assert.deepEqual(await restartOf("deploy: { restart_policy: { condition: none } }"), {
      condition: "none",
      delayMs: 1_000,
    });
  });

  const scales = 'labels: { autoscale.max_cpu: "70" }';
  test("is always for a service that scales and says nothing of it", async () => {
    assert.deepEqual(await restartOf(scales), { condition: "any", delayMs: 1_000 });
  });

  test("is what it says for a service that scales and says something", async () => {
    assert.equal((await restartOf(`restart: on-failure\n${scales}`)).condition, "on-failure");
    assert.equal((await restartOf(`restart: "no"\n${scales}`)).condition, "none");
    const policy = `deploy: { restart_policy: { condition: none } }\n${scales}`;
    assert.equal((await restartOf(policy)).condition, "none");
  });
});

describe("labels", () => {
  test("are read under labels and under deploy.labels, the latter first; the container carries the former", async () => {
    const { web: service, diagnostics } = await web(`
labels: { autoscale.max_cpu: "70", autoscale.max: "5", business.team: checkout, tier: front }
deploy: { labels: { autoscale.max_cpu: "60", business.product: shop } }`);
    assert.equal(service.scaling?.rules[0]?.max, 0.6);
    assert.equal(service.scaling?.maxReplicas, 5);
    assert.deepEqual(service.businessLabels, { team: "checkout", product: "shop" });
    assert.deepEqual(service.template.labels, {
      "autoscale.max_cpu": "70",
      "autoscale.max": "5",
      "business.team": "checkout",
      tier: "front",
    });
    assert.deepEqual(diagnostics, []);
  });

  test("that cannot be used leave the service without scaling, as warnings, and the others as they are", async () => {
    const { project, diagnostics } = await translate(`
services:
  web: { image: w, labels: { autoscale.max_cpu: seventy, autoscale.mxa: "3" } }
  api: { image: a, labels: { autoscale.max_cpu: "70" } }
`);
    const [api, spoilt] = project.services;
    assert.equal(api?.scaling?.rules.length, 1);
    assert.equal(spoilt?.name, "web");
    assert.equal(spoilt?.scaling, undefined);
    assert.equal(diagnostics.length, 2);
    assert.ok(
      diagnostics.every((line) => /^warning: services\.web\.labels\.autoscale\..*does not scale/.test(line)),
    );
    assert.ok(diagnostics.some((line) => line.includes("did you mean autoscale.max?")));
  });

  test("that cannot be used replace no replica", async () => {
    const good = await web('labels: { autoscale.max_cpu: "70" }');
    const bad = await web("labels: { autoscale.max_cpu: seventy }");
    assert.equal(bad.web.scaling, undefined);
    assert.equal(bad.web.templateHash, good.web.templateHash);
  });

  test("measure against the limits of the service", async () => {
    const { web: service } = await web(`
labels: { autoscale.max_cpu: "50", autoscale.max_memory: "80" }
deploy: { resources: { limits: { cpus: "0.5", memory: 100M } } }`);
    assert.deepEqual(
      service.scaling?.rules.map(({ metric, capacity }) => [metric, capacity]),
      [
        ["cpu", 0.5],
        ["memory", 100 * 2 ** 20],
      ],
    );
  });

  test("of a probe become the template's", async () => {
    const { web: service } = await web("labels: { probe.http: ':8080/healthz' }");
    assert.deepEqual(service.template.probe, { kind: "http", port: 8080, path: "/healthz" });
  });
});

describe("the count", () => {
  const countOf = async (lines: string) => (await web(lines)).web.initialReplicas;

  test("is scale, deploy.replicas, or one; zero is a count; a global service has one", async () => {
    assert.equal(await countOf("scale: 3"), 3);
    assert.equal(await countOf("deploy: { replicas: 4 }"), 4);
    assert.equal(await countOf("deploy: { replicas: 0 }"), 0);
    assert.equal(await countOf("expose: [80]"), 1);
    assert.equal(await countOf("deploy: { mode: global }"), 1);
  });
});

describe("a service that can have one replica only", () => {
  const cases: [what: string, lines: string, rest: string, reason: RegExp][] = [
    ["has a container_name", "container_name: shop", "", /container_name is fixed to shop/],
    ["has a fixed host port", 'ports: ["8080:80"]', "", /host port 8080 is fixed; publish "80" alone/],
    [
      "has a fixed address",
      "networks: { front: { ipv4_address: 10.1.2.3 } }",
      "networks: { front: { ipam: { config: [{ subnet: 10.1.0.0/16 }] } } }",
      /its address on p_front is fixed/,
    ],
    ["has a mac_address", 'mac_address: "02:42:ac:11:65:43"', "", /mac_address is fixed/],
    ["uses the host's network", "network_mode: host", "", /host's network/],
    ["is global", "deploy: { mode: global }", "", /it is global: one for each node/],
  ];
  for (const [what, lines, rest, reason] of cases) {
    test(`${what}: says why, and is warned of where it should scale`, async () => {
      const quiet = await web(lines, rest);
      assert.match(quiet.web.singleReplicaReason ?? "", reason);
      assert.ok(!quiet.diagnostics.some((line) => line.includes("more than one replica")));
      const scaling = await web(`${lines}\nlabels: { autoscale.max_cpu: "70" }`, rest);
      assert.ok(
        scaling.diagnostics.some((line) => line.includes("more than one replica") && reason.test(line)),
        scaling.diagnostics.join("\n"),
      );
    });
  }

  test("is not one that lets the engine choose its port, or gives a range", async () => {
    assert.equal((await web('ports: ["80"]')).web.singleReplicaReason, undefined);
    assert.equal((await web('ports: ["8000-8009:80"]')).web.singleReplicaReason, undefined);
    assert.equal((await web('ports: ["127.0.0.1::80"]')).web.singleReplicaReason, undefined);
  });
});

describe("files", () => {
  test("of secrets and configs are mounted read-only where compose puts them", async () => {
    const { web: service, diagnostics } = await web(
      `
secrets: [token, { source: token, target: other }, { source: token, target: /etc/token }]
configs: [motd, { source: motd, target: /etc/motd }]`,
      "secrets: { token: { file: /srv/token } }\nconfigs: { motd: { file: /srv/motd } }",
    );
    assert.deepEqual(diagnostics, []);
    const bind = (source: string, target: string) => ({
      type: "bind",
      source,
      target,
      readOnly: true,
      createHostPath: false,
    });
    assert.deepEqual(service.template.mounts, [
      bind("/srv/motd", "/motd"),
      bind("/srv/motd", "/etc/motd"),
      bind("/srv/token", "/run/secrets/token"),
      bind("/srv/token", "/run/secrets/other"),
      bind("/srv/token", "/etc/token"),
    ]);
  });

  test("that are no files are refused by name", async () => {
    const { diagnostics } = await web(
      "secrets: [token]\nconfigs: [motd, far]",
      "secrets: { token: { environment: TOKEN } }\nconfigs: { motd: { content: hi }, far: { external: true } }",
    );
    assert.equal(diagnostics.length, 3);
    for (const name of ["token", "motd", "far"]) {
      assert.ok(
        diagnostics.some((line) => line.startsWith("error: services.web.") && line.includes(`${name}: only`)),
      );
    }
  });
});

describe("what another replica would have to be chosen for", () => {
  for (const lines of ["network_mode: service:db", "pid: service:db", "ipc: service:db"]) {
    test(`${lines} is refused`, async () => {
      const { diagnostics } = await translate(
        `services:\n  web:\n    image: w\n    ${lines}\n  db: { image: d }\n`,
      );
      assert.match(
        diagnostics.join("\n"),
        /^error: services\.web\.(?:network_mode|pid|ipc): service:db is not/m,
      );
    });
  }
});

describe("keys without effect", () => {
  test("are named one by one", async () => {
    const { diagnostics } = await web(
      `
annotations: { a: b }
blkio_config: { weight: 300 }
cgroup: private
cpu_rt_period: 1000
cpu_rt_runtime: 500
device_cgroup_rules: ["c 1:3 mr"]
mac_address: "02:42:ac:11:65:43"
storage_opt: { size: 1G }
uts: host
networks: { front: { mac_address: "02:42:ac:11:65:44", link_local_ips: [57.123.22.11], driver_opts: { a: b } } }
deploy:
  endpoint_mode: vip
  placement: { constraints: [node.role == manager], preferences: [{ spread: zone }], max_replicas_per_node: 1 }
  restart_policy: { window: 5s }
  resources:
    reservations: { generic_resources: [{ discrete_resource_spec: { kind: gpu, value: 1 } }] }`,
      "networks: { front: {} }",
    );
    const named = diagnostics
      .filter((line) => line.endsWith("is not acted on by this version"))
      .map((line) => line.replace(/^warning: services\.web\.(.*): is not acted.*$/, "$1"));
    assert.deepEqual(named.toSorted(), [
      "annotations",
      "blkio_config",
      "cgroup",
      "cpu_rt_period",
      "cpu_rt_runtime",
      "deploy.endpoint_mode",
      "deploy.placement.constraints",
      "deploy.placement.max_replicas_per_node",
      "deploy.placement.preferences",
      "deploy.resources.reservations.generic_resources",
      "deploy.restart_policy.window",
      "device_cgroup_rules",
      "mac_address",
      "networks.front.driver_opts",
      "networks.front.link_local_ips",
      "networks.front.mac_address",
      "storage_opt",
      "uts",
    ]);
  });

  test("that say nothing are not named", async () => {
    const { diagnostics } = await web("annotations: {}\nstorage_opt: {}\ndeploy: { placement: {} }");
    assert.deepEqual(diagnostics, []);
  });
});

describe("the rest of a template", () => {
  test("carries what compose says, in the engine's words", async () => {
    const { web: service, project } = await web(
      `
command: ["serve", "$$HOME"]
entrypoint: []
environment: { A: "1", UNSET: }
working_dir: /app
user: "1000:1000"
ports: ["80", "53/udp"]
expose: ["8080"]
stop_signal: SIGINT
stop_grace_period: 1m30s
healthcheck: { test: curl localhost, interval: 5s, timeout: 2s, retries: 5, start_period: 10s }
networks: { back: { priority: 1, aliases: [w] }, front: { priority: 10 } }
volumes: ["data:/data:ro", "/anonymous", { type: tmpfs, target: /t, tmpfs: { size: 1m } }]
tmpfs: ["/run:size=64m,mode=1777,ro"]
depends_on: { db: { condition: service_healthy, required: false } }`,
      "  db: { image: d }\nnetworks: { front: {}, back: { name: spine } }\nvolumes: { data: { name: kept } }",
    );
    const { template } = service;
    assert.deepEqual(template.command, ["serve", "$HOME"]);
    assert.deepEqual(template.entrypoint, []);
    assert.deepEqual(template.environment, { A: "1" });
    assert.equal(template.workingDirectory, "/app");
    assert.equal(template.user, "1000:1000");
    assert.deepEqual(template.ports, [
      { target: 80, protocol: "tcp" },
      { target: 53, protocol: "udp" },
    ]);
    assert.deepEqual(template.exposedPorts, ["8080"]);
    assert.equal(template.stopSignal, "SIGINT");
    assert.equal(template.stopGraceMs, 90_000);
    assert.deepEqual(template.healthcheck, {
      test: ["CMD-SHELL", "curl localhost"],
      intervalMs: 5_000,
      timeoutMs: 2_000,
      retries: 5,
      startPeriodMs: 10_000,
    });
    assert.deepEqual(template.networks, [
      { network: "p_front", aliases: [] },
      { network: "spine", aliases: ["w"] },
    ]);
    assert.deepEqual(
      template.mounts.map(({ type, source, target, readOnly }) => ({ type, source, target, readOnly })),
      [
        { type: "volume", source: "kept", target: "/data", readOnly: true },
        { type: "volume", source: undefined, target: "/anonymous", readOnly: false },
        { type: "tmpfs", source: undefined, target: "/t", readOnly: false },
        { type: "tmpfs", source: undefined, target: "/run", readOnly: true },
      ],
    );
    assert.deepEqual(template.mounts[2]?.tmpfsSizeBytes, 2 ** 20);
    assert.deepEqual(
      [template.mounts[3]?.tmpfsSizeBytes, template.mounts[3]?.tmpfsMode],
      [64 * 2 ** 20, 0o1777],
    );
    assert.deepEqual(service.dependsOn, [{ service: "p_db", condition: "healthy", required: false }]);
    assert.equal(service.id, "p_web");
    assert.deepEqual(project.networks.map(({ name }) => name).toSorted(), ["p_default", "p_front", "spine"]);
  });

  test("a healthcheck that is disabled asks for none", async () => {
    const { web: service } = await web("healthcheck: { disable: true }");
    assert.deepEqual(service.template.healthcheck?.test, ["NONE"]);
  });

  test("external networks and volumes are known as such", async () => {
    const { project } = await web(
      "networks: [far]\nvolumes: ['store:/s']",
      "networks: { far: { external: true, name: wan } }\nvolumes: { store: { external: true } }",
    );
    assert.deepEqual(
      project.networks.map(({ key, name, external }) => [key, name, external]),
      [["far", "wan", true]],
    );
    assert.deepEqual(
      project.volumes.map(({ key, name, external }) => [key, name, external]),
      [["store", "store", true]],
    );
  });

  test("container options keep their meaning", async () => {
    const { web: service } = await web(`
devices: ["/dev/null:/dev/zero2"]
extra_hosts: ["db=10.0.0.1"]
ulimits: { nofile: 1024, nproc: { soft: 10, hard: 20 } }
shm_size: 64m
memswap_limit: -1
mem_limit: 64m
group_add: [7]
pull_policy: always
logging: { driver: json-file, options: { max-size: 1m } }`);
    assert.deepEqual(service.template.container, {
      devices: [{ source: "/dev/null", target: "/dev/zero2", permissions: "rwm" }],
      extraHosts: ["db:10.0.0.1"],
      ulimits: [
        { name: "nofile", soft: 1024, hard: 1024 },
        { name: "nproc", soft: 10, hard: 20 },
      ],
      shmSizeBytes: 64 * 2 ** 20,
      memorySwapBytes: -1,
      groupAdd: ["7"],
      pullPolicy: "always",
      logDriver: "json-file",
      logOptions: { "max-size": "1m" },
    });
  });
});
