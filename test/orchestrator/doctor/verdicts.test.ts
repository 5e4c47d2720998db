import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EngineKind, ReplicaTemplate, ScalingPolicy, Service } from "../../../core/types.ts";
import { combined, factsOf, NOTHING_RUNS, type RunningFacts } from "../../../orchestrator/doctor/facts.ts";
import { factsFromCompose } from "../../../orchestrator/doctor/from-compose.ts";
import { verdictOn } from "../../../orchestrator/doctor/verdict.ts";
import { service, template } from "../builders.ts";

const SCALING: ScalingPolicy = {
  rules: [],
  kind: "step",
  minReplicas: 1,
  maxReplicas: 10,
  step: 1,
  windowMs: 10_000,
  cooldownMs: 15_000,
  schedule: [],
  predict: false,
  dryRun: false,
};

interface Case {
  readonly template?: Partial<ReplicaTemplate>;
  readonly service?: Partial<Service>;
  readonly running?: Partial<RunningFacts>;
  readonly engine?: EngineKind;
}

/** The verdict as a person reads it: the sentence, then each finding in two lines. */
function told({ template: of = {}, service: parts = {}, running, engine = "docker" }: Case): string {
  const one = service("web", { template: template(of), scaling: SCALING, ...parts });
  const { sentence, findings } = verdictOn(factsOf(one, { ...NOTHING_RUNS, ...running }), engine);
  const lines = findings.map(
    ({ rule, effect, because, change }) => `${effect} ${rule}: ${because} -> ${change}`,
  );
  return [sentence, ...lines].join("\n");
}

const port = (target: number, published?: string) =>
  ({ target, protocol: "tcp", ...(published === undefined ? {} : { published }) }) as const;

describe("flyball doctor says", () => {
  test("that a service with nothing special can scale", () => {
    assert.equal(told({ template: { ports: [port(80)] } }), "can scale");
  });

  test("what to do with a fixed host port", () => {
    assert.equal(
      told({ template: { ports: [port(80, "8080")] }, running: { ports: [port(80, "8080")] } }),
      `can scale after this: publish "80" alone, or the range "8080-8089:80", with a load balancer before it
after host-port: host port 8080 is fixed, and one container at a time can have it -> publish "80" alone, or the range "8080-8089:80", with a load balancer before it`,
    );
  });

  test("how wide a port range has to be, and nothing when it is wide enough", () => {
    assert.equal(
      told({ template: { ports: [port(80, "8080-8083")] } }),
      `can scale after this: widen the range to "8080-8089:80", or set autoscale.max to 4
after port-range: host ports 8080-8083 are enough for 4 replicas, and there may be 10 -> widen the range to "8080-8089:80", or set autoscale.max to 4`,
    );
    assert.equal(told({ template: { ports: [port(80, "8080-8089")] } }), "can scale");
  });

  test("what to do with fixed addresses, whether the file or the container has them", () => {
    const networks = [{ network: "shop_default", aliases: [], ipv4Address: "10.5.0.5" }];
    assert.equal(
      told({
        template: { networks },
        running: {
          addresses: [
            { network: "shop_default", address: "10.5.0.5" },
            { network: "shop_default", address: "fd00::5" },
          ],
          macAddresses: ["02:42:0a:05:00:05"],
        },
      }),
      `can scale after this: remove ipv4_address 10.5.0.5, and use the service's name where the address is used; and then: remove ipv6_address fd00::5, and use the service's name where the address is used; and then: remove mac_address 02:42:0a:05:00:05
after static-ip: its address 10.5.0.5 on shop_default is fixed, and one container at a time can have it -> remove ipv4_address 10.5.0.5, and use the service's name where the address is used
after static-ip: its address fd00::5 on shop_default is fixed, and one container at a time can have it -> remove ipv6_address fd00::5, and use the service's name where the address is used
after mac-address: its MAC address 02:42:0a:05:00:05 is fixed, and two containers with one address lose packets without an error -> remove mac_address 02:42:0a:05:00:05`,
    );
  });

  test("what to do with a container_name", () => {
    assert.equal(
      told({
        template: { container: { containerName: "till" } },
        service: { singleReplicaReason: "container_name is fixed to till" },
      }),
      `can scale after this: remove container_name till, and use the service's name web where it is used
after container-name: container_name is fixed to till, and one container at a time can have it -> remove container_name till, and use the service's name web where it is used`,
    );
  });

  test("that the host's network, and another container's, cannot be shared", () => {
    assert.equal(
      told({ template: { networkMode: "host" } }),
      `cannot scale because it uses the host's network, where every replica wants the same ports
cannot network-mode: it uses the host's network, where every replica wants the same ports -> remove network_mode: host, and publish its ports instead`,
    );
    assert.equal(
      told({ running: { networkMode: `container:${"ab".repeat(32)}` } }),
      `cannot scale because it lives in the network of container abababababab, where every replica wants the same ports
cannot network-mode: it lives in the network of container abababababab, where every replica wants the same ports -> remove network_mode: container:abababababab, and put both on one network`,
    );
    assert.equal(told({ template: { networkMode: "none" } }), "can scale");
  });

  test("that a device or a card is for one container, and that some devices are for all", () => {
    const device = (source: string) => ({ source, target: source, permissions: "rwm" });
    assert.equal(
      told({
        template: {
          container: { devices: [device("/dev/ttyUSB0"), device("/dev/net/tun"), device("/dev/dri/card0")] },
        },
        running: { gpus: ["0", "1"] },
      }),
      `cannot scale because device /dev/ttyUSB0 is for one container at a time, and because GPU 0, 1 is given to it by id, and every replica would take the same
cannot device: device /dev/ttyUSB0 is for one container at a time -> make a service of its own of what uses /dev/ttyUSB0, and scale the rest
cannot gpu: GPU 0, 1 is given to it by id, and every replica would take the same -> ask for a count of GPUs in place of device_ids, on a host that has as many for each replica`,
    );
  });

  test("that the data directory of a database is for one writer, by its path or by the image", () => {
    const volume = {
      type: "volume",
      source: "shop_pg",
      target: "/var/lib/postgresql/data",
      readOnly: false,
    } as const;
    assert.equal(
      told({ template: { mounts: [volume] } }),
      `cannot scale because volume shop_pg at /var/lib/postgresql/data is the data directory of postgres, and two that write it destroy it
cannot single-writer: volume shop_pg at /var/lib/postgresql/data is the data directory of postgres, and two that write it destroy it -> keep one replica, or make the others followers with postgres's own replication, each a service with a volume of its own`,
    );
    const bind = { type: "bind", source: "/srv/redis", target: "/data", readOnly: false } as const;
    assert.match(
      told({ template: { image: "registry.example/library/redis:7@sha256:00", mounts: [bind] } }),
      /^cannot scale because directory \/srv\/redis at \/data is the data directory of Redis, /,
    );
    assert.doesNotMatch(told({ template: { image: "shop/web:1", mounts: [bind] } }), /^cannot/);
  });

  test("who else writes a shared volume, and nothing of what is read, fresh or a socket", () => {
    assert.equal(
      told({
        template: {
          mounts: [
            { type: "volume", source: "shop_uploads", target: "/uploads", readOnly: false },
            { type: "bind", source: "/srv/site", target: "/site", readOnly: true },
            { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock", readOnly: false },
            { type: "volume", target: "/cache", readOnly: false },
            { type: "tmpfs", target: "/tmp", readOnly: false },
          ],
        },
      }),
      `can scale
note shared-writes: all replicas write volume shop_uploads at /uploads -> mount it read-only, or see to it that web takes others that write there`,
    );
  });

  test("what to do with links", () => {
    assert.equal(
      told({ running: { links: ["shop-db-1"] } }),
      `can scale after this: remove shop-db-1 from links; on one network services find each other by name
after links: the link to shop-db-1 is to one container of it, and breaks when that one is replaced -> remove shop-db-1 from links; on one network services find each other by name`,
    );
  });

  test("which restart policies are traps", () => {
    assert.equal(
      told({
        template: { restart: { condition: "none", delayMs: 0, compose: "no" } },
        running: { autoRemove: true },
      }),
      `can scale after this: make its containers without --rm
after auto-remove: the engine removes its containers as soon as they end (--rm), with all that tells why -> make its containers without --rm
note restart-policy: a replica that ends is left as it is, and the others carry its load -> write restart: unless-stopped`,
    );
    assert.equal(
      told({ running: { restart: "unless-stopped" } }),
      `can scale
note restart-policy: restart: unless-stopped has the engine start a container again that was only stopped, at its own next start -> remove a replica that you want gone (docker rm -f) in place of stopping it, as Flyball does`,
    );
  });

  test("where configs and secrets come from that compose copied in, also when there may be no replica", () => {
    const running = { injectedFiles: ["/run/secrets/till"] };
    assert.equal(
      told({ running }),
      `can scale
note injected-files: compose copied /run/secrets/till into its containers, and nothing but another replica has it -> keep one replica at least, from which Flyball copies; or mount a file in place of content: or environment:`,
    );
    assert.equal(
      told({ running, service: { scaling: { ...SCALING, minReplicas: 0 } } }),
      `can scale after this: set autoscale.min to 1, or mount a file in place of content: or environment:
after injected-files: compose copied /run/secrets/till into its containers, and nothing but another replica has it -> set autoscale.min to 1, or mount a file in place of content: or environment:`,
    );
  });

  test("that a tag has moved on since, or means nothing any more", () => {
    const [runningId, tagId] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
    assert.equal(
      told({ running: { movedImage: { tag: "shop/web:1.4", runningId, tagId } } }),
      `can scale
note moved-image: shop/web:1.4 is image bbbbbbbbbbbb by now, and its replicas run aaaaaaaaaaaa: more are made of what runs -> run docker compose up -d or flyball up to bring all replicas to the new shop/web:1.4`,
    );
    assert.match(
      told({ running: { movedImage: { tag: "shop/web:1.4", runningId } } }),
      /shop\/web:1\.4 means no image any more, .* -> pull or build shop\/web:1\.4 again$/,
    );
  });

  test("that one on each node is one on each node, and what a hostname may mean", () => {
    assert.equal(
      told({ service: { global: true } }),
      `cannot scale because its mode is global: exactly one on each node
cannot global: its mode is global: exactly one on each node -> write deploy.mode: replicated`,
    );
    assert.equal(
      told({ template: { container: { hostname: "till" } } }),
      `can scale
note hostname: hostname till is the same in every replica -> remove hostname where the program tells its peers apart by it`,
    );
  });

  test("a reason of the compose file that it has no sentence for", () => {
    assert.equal(
      told({ service: { singleReplicaReason: "its moon is full" } }),
      `can scale after this: remove that from the compose file (its moon is full)
after single-replica: its moon is full -> remove that from the compose file (its moon is full)`,
    );
  });

  test("what is in the way first, then what to change, then what to know", () => {
    const effects = verdictOn(
      factsOf(
        service("web", {
          template: template({
            networkMode: "host",
            ports: [port(80, "80")],
            container: { hostname: "till" },
            mounts: [{ type: "volume", source: "shop_uploads", target: "/uploads", readOnly: false }],
          }),
        }),
      ),
      "docker",
    ).findings.map(({ effect }) => effect);
    assert.deepEqual(effects, ["cannot", "after", "note", "note"]);
  });

  test("of a service of processes only what matters there", () => {
    assert.equal(
      told({
        engine: "process",
        template: { ports: [port(80, "8080")], networkMode: "host" },
        service: { singleReplicaReason: "host port 8080 is fixed" },
      }),
      `can scale
note port-variable: each replica is given a port of its own in the variable PORT -> have the command listen on $PORT, not on 80`,
    );
  });

  test("what only the compose file tells: links and MAC addresses", () => {
    const file = factsFromCompose({
      command: null,
      entrypoint: null,
      links: ["db:database", "cache"],
      mac_address: "02:42:AC:11:00:03",
      networks: { default: { mac_address: "02:42:ac:11:00:04" }, other: null },
    });
    const engine = { ...NOTHING_RUNS, links: ["shop-db-1"], macAddresses: ["02:42:ac:11:00:03"] };
    assert.deepEqual(combined(file, engine), {
      ...NOTHING_RUNS,
      links: ["db", "cache"],
      macAddresses: ["02:42:AC:11:00:03", "02:42:ac:11:00:04"],
    });
  });
});
