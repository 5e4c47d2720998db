import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import type { Healthcheck, ObservedReplica } from "../../../core/types.ts";
import { eventually } from "../docker-project.ts";
import { type OpenBench, patience, STAYS } from "./bench.ts";

const CGROUPS = "/sys/fs/cgroup";
const LIMITS = { limitCores: 0.5, limitMemoryBytes: 64 * 2 ** 20, limitPids: 50 };

/** What a replica has around it: health, ports, limits, room of its own. */
export function surroundings(open: OpenBench): void {
  test("its healthcheck takes it from starting to running to unhealthy, and back", async (t) => {
    const on = await open(t);
    const file = `/tmp/flyball-healthy-${process.pid}-${on.project}-${performance.now()}`;
    const healthcheck: Healthcheck = {
      test: ["CMD-SHELL", `test -e ${file}`],
      intervalMs: 300,
      timeoutMs: 5_000,
      retries: 2,
      startPeriodMs: 20_000,
      startIntervalMs: 300,
    };
    const asked = { healthcheck };
    const id = await on.create(STAYS, 1, asked);
    await on.start(id, STAYS, asked);
    await on.until(id, "starting");
    await on.run(id, `touch ${file}`);
    const healthy = await on.until(id, "running");
    assert.ok((healthy.readyAtMs ?? 0) >= (healthy.startedAtMs ?? Number.NaN));
    await on.run(id, `rm ${file}`);
    await on.until(id, "unhealthy");
    await on.remove(id);
  });

  test("a healthcheck may be a command as well, or none", async (t) => {
    const on = await open(t);
    const often = { intervalMs: 300, timeoutMs: 5_000, retries: 1, startPeriodMs: 0 };
    for (const [index, form] of [["CMD", "true"], ["NONE"]].entries()) {
      const asked = { healthcheck: { ...often, test: form } };
      assert.equal(on.declared(asked).has("healthcheck"), false);
      const { id } = await on.running(STAYS, index + 1, asked);
      await on.remove(id);
    }
  });

  test("where it says that it answers, it answers", async (t) => {
    const on = await open(t);
    await on.createNetwork();
    const server = {
      command: on.server,
      exposedPorts: ["8080"],
      networks: [{ network: on.network, aliases: [] }],
    };
    const id = await on.create("", 1, server);
    await on.start(id, "", server);
    const { endpoints } = await on.until(id, "running", server);
    const endpoint = endpoints.find(({ targetPort }) => targetPort === 8080);
    assert.ok(endpoint !== undefined, "there is an endpoint for its port");
    await eventually("it answers", () => answers(endpoint.host, endpoint.port));
    await on.remove(id);
    assert.equal(await answers(endpoint.host, endpoint.port), false);
    await on.removeNetwork();
  });

  test("a limit holds, or the replica and the check say that it does not", async (t) => {
    const on = await open(t);
    const limited = { resources: LIMITS };
    const id = await on.create(STAYS, 1, limited);
    await on.start(id, STAYS, limited);
    const seen = await on.until(id, "running", limited);
    const held = limitsOf(seen);
    const missing = (name: string) => seen.notEnforced.some((text) => text.startsWith(name));
    if (!missing("cpu limit")) assert.equal(held.cores, LIMITS.limitCores);
    if (!missing("memory limit")) assert.equal(held.memoryBytes, LIMITS.limitMemoryBytes);
    if (!missing("pids limit")) assert.equal(held.pids, LIMITS.limitPids);
    assert.equal(on.declared(limited).has("deploy.resources.limits"), seen.notEnforced.length > 0);
    await on.remove(id);
  });

  test("what a replica had for itself alone goes with it", async (t) => {
    const on = await open(t);
    const roomy = { mounts: [{ type: "volume" as const, target: "/data", readOnly: false }] };
    const id = await on.create("echo mine; exit 0", 1, roomy);
    await on.start(id, "echo mine; exit 0", roomy);
    await on.until(id, "exited", roomy);
    const uses = await on.engine.uses([on.define(STAYS, roomy)], patience());
    const own = new Set(uses.filter(({ kind }) => kind === "volume").map((use) => use.id));
    assert.equal(own.size, on.declared(roomy).has("volumes") ? 0 : 1);
    await on.remove(id);
    const left = await on.engine.inventory(patience());
    assert.deepEqual(
      left.filter((found) => own.has(found.id) || found.id.includes(id)),
      [],
    );
  });
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.setTimeout(1_000, () => end(false));
  });
}

/** What the kernel holds the replica to, on version 1 or 2 of cgroups. */
function limitsOf({ pid }: ObservedReplica): { cores: number; memoryBytes: number; pids: number } {
  const places = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .trim()
    .split("\n")
    .map((line) => /^\d+:([^:]*):(.*)$/u.exec(line) ?? []);
  const read = (controller: string, file: string): string => {
    const own = places.find(([, names]) => names?.split(",").includes(controller) === true);
    const [, , path = ""] = own ?? places.find(([, names]) => names === "") ?? [];
    const versionOne = join(CGROUPS, controller, path, file);
    return readFileSync(existsSync(versionOne) ? versionOne : join(CGROUPS, path, file), "utf8").trim();
  };
  const isVersionTwo = places.every(([, names]) => names === "");
  const [quota, period] = isVersionTwo
    ? read("cpu", "cpu.max").split(" ")
    : [read("cpu", "cpu.cfs_quota_us"), read("cpu", "cpu.cfs_period_us")];
  return {
    cores: Number(quota) / Number(period),
    memoryBytes: Number(read("memory", isVersionTwo ? "memory.max" : "memory.limit_in_bytes")),
    pids: Number(read("pids", "pids.max")),
  };
}
