import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReplicaTemplate } from "../../../core/types.ts";
import { mapConcurrent } from "../../../orchestrator/engines/docker/concurrent.ts";
import { freePort } from "../../lab/free-port.ts";
import { type OpenBench, STAYS } from "./bench.ts";

/** Something that a compose file may ask for, and how to see from inside the replica whether it got that. */
interface Wish {
  /** As it stands in the compose file, below the service. */
  readonly key: string;
  readonly template: Partial<ReplicaTemplate>;
  /** Ends with 0 where the wish is fulfilled. */
  readonly test: string;
}

const NOT_HERE = "/tmp/flyball-read-only-probe";

const WISHES: readonly Wish[] = [
  { key: "user", template: { user: "65534:65534" }, test: 'test "$(id -u)" = 65534' },
  { key: "working_dir", template: { workingDirectory: "/tmp" }, test: 'test "$(pwd)" = /tmp' },
  { key: "environment", template: { environment: { PORT: "1234" } }, test: 'test "$PORT" = 1234' },
  {
    key: "entrypoint",
    template: { entrypoint: ["env", "LED=in"] },
    test: "tr '\\0' '\\n' </proc/$LEADER/environ | grep -q '^LED=in'",
  },
  {
    key: "volumes",
    template: { mounts: [{ type: "tmpfs", target: "/scratch", readOnly: false }] },
    test: "grep -q ' /scratch tmpfs' /proc/mounts",
  },
  {
    key: "volumes",
    template: { mounts: [{ type: "bind", source: "/etc/hostname", target: "/run/secret", readOnly: true }] },
    test: "test -s /run/secret",
  },
  { key: "network_mode", template: { networkMode: "none" }, test: "! grep -q eth0 /proc/net/dev" },
  {
    key: "read_only",
    template: { container: { readOnly: true } },
    test: `! touch ${NOT_HERE} || ! rm ${NOT_HERE}`,
  },
  {
    key: "hostname",
    template: { container: { hostname: "conforming" } },
    test: 'test "$(hostname)" = conforming',
  },
  {
    key: "ulimits",
    template: { container: { ulimits: [{ name: "nofile", soft: 777, hard: 888 }] } },
    test: "grep -q 'Max open files *777 ' /proc/$LEADER/limits",
  },
  {
    key: "cap_drop",
    template: { container: { capDrop: ["ALL"] } },
    test: "grep -q 'CapEff:.0*$' /proc/$LEADER/status",
  },
  {
    key: "oom_score_adj",
    template: { container: { oomScoreAdj: 321 } },
    test: 'test "$(cat /proc/$LEADER/oom_score_adj)" = 321',
  },
  {
    key: "extra_hosts",
    template: { container: { extraHosts: ["conforming.test:192.0.2.7"] } },
    test: "grep -q 192.0.2.7 /etc/hosts",
  },
];

/** What an engine says beforehand that it does not do, and what it then does. */
export function declared(open: OpenBench): void {
  test("what an engine does not do of a service it says before, and all else it does", async (t) => {
    const on = await open(t);
    const met = await mapConcurrent(
      [...WISHES.entries()],
      3,
      async ([index, { key, template, test: line }]) => {
        // The first process of a container is always 1 to those in it.
        const replica = await on.running(STAYS, index + 1, template);
        await on.wrote(replica.id, "ready");
        const leader = on.engine.kind === "process" ? replica.pid : 1;
        const { exitCode } = await on.run(replica.id, `LEADER=${leader}; ${line}`);
        await on.remove(replica.id);
        return { key, done: exitCode === 0 };
      },
    );
    assert.deepEqual(
      met,
      WISHES.map(({ key, template }) => ({ key, done: !on.declared(template).has(key) })),
    );
  });

  test("a port of the host is the replica's own, or the engine says before that it will not be", async (t) => {
    const on = await open(t);
    const published = await freePort();
    const server = {
      command: on.server,
      networkMode: "bridge",
      ports: [{ target: 8080, protocol: "tcp" as const, published: String(published) }],
    };
    const { id } = await on.running("", 1, server);
    const { endpoints } = (await on.see(id, server)) ?? { endpoints: [] };
    const isBound = endpoints.some(({ targetPort, port }) => targetPort === 8080 && port === published);
    assert.equal(isBound, !on.declared(server).has("ports"));
    await on.remove(id);
  });

  test("another name in a network leads to it, or the engine says before that it will not", async (t) => {
    const on = await open(t);
    await on.createNetwork();
    const named = { networks: [{ network: on.network, aliases: ["conforming"] }] };
    const { id } = await on.running(STAYS, 1, named);
    const { exitCode } = await on.run(id, "ping -c 1 -W 5 conforming");
    assert.equal(exitCode === 0, !on.declared(named).has("networks"));
    await on.remove(id);
    await on.removeNetwork();
  });
}
