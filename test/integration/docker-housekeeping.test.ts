import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { serviceIdOf } from "../../core/ids.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { ReplicaId } from "../../core/types.ts";
import { MINUTE_MS } from "../../core/units.ts";
import type { Engine } from "../../orchestrator/engine.ts";
import { openDockerEngine } from "../../orchestrator/engines/docker/engine.ts";
import { Housekeeping } from "../../orchestrator/housekeeping/housekeeping.ts";
import { LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);

if (skip !== false) test("housekeeping on a Docker engine", { skip }, () => {});

/** A daemon's housekeeping with an instance id of its own, for which time can be moved on. */
class Keeper implements AsyncDisposable {
  readonly instanceId = `keeper-${process.pid}-${Math.round(performance.now())}`;
  readonly on: DockerProject;
  readonly engine: Engine;
  readonly housekeeping: Housekeeping;
  /** Whether the daemon knows the project. */
  isManaged = true;
  laterMs = 0;
  readonly #store: Store;
  readonly #directory = mkdtempSync(join(tmpdir(), "flyball-keeper-"));

  private constructor(on: DockerProject, engine: Engine, instanceId: string) {
    this.on = on;
    this.engine = engine;
    this.instanceId = instanceId;
    this.#store = new Store(this.#directory);
    this.housekeeping = new Housekeeping({
      engine,
      store: this.#store,
      clock: { nowMs: () => Date.now() + this.laterMs, monotonicMs: () => systemClock.monotonicMs() },
      log: createLog("silent"),
      instanceId,
      projects: () => (this.isManaged ? [on.project] : []),
    });
  }

  static async open(lab: LabEngine, on: DockerProject): Promise<Keeper> {
    const instanceId = `keeper-${on.name}`;
    const { socketPath } = lab;
    const engine = await openDockerEngine({
      socketPath,
      instanceId,
      clock: systemClock,
      log: createLog("silent"),
    });
    return new Keeper(on, engine, instanceId);
  }

  async make(slot: number, isStarted = true): Promise<ReplicaId> {
    const { project, name } = this.on;
    const [service] = project.services;
    assert.ok(service);
    const base = { id: 1, after: [], cause: "a test", service: serviceIdOf(name, "web"), slot };
    const signal = AbortSignal.timeout(60_000);
    const context = { project, service };
    const id = await this.engine.perform({ ...base, kind: "create-replica" }, context, signal);
    assert.ok(id);
    if (isStarted) {
      await this.engine.perform({ ...base, kind: "start-replica", replica: id }, context, signal);
    }
    return id;
  }

  /** Keys that housekeeping would remove, of those given. */
  async planned(keys: readonly string[]): Promise<string[]> {
    const { items } = await this.housekeeping.plan();
    return items.map(({ key }) => key).filter((key) => keys.includes(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.housekeeping[Symbol.asyncDispose]();
    await this.engine[Symbol.asyncDispose]();
    this.#store[Symbol.dispose]();
    rmSync(this.#directory, { recursive: true });
  }
}

for (const lab of engines) {
  describe(`housekeeping on Docker ${lab.name}`, () => {
    test("removes the volume that a replica left, and no foreign one, young one, or one in use", async () => {
      await using on = await DockerProject.open(lab, "volumes");
      on.define({ web: { mounts: [{ type: "volume", target: "/data", readOnly: false }] } });
      await on.createNetworks();
      await using keeper = await Keeper.open(lab, on);
      const [left, stays] = [await keeper.make(1), await keeper.make(2)];
      const [leftVolume, usedVolume] = [await volumeOf(on, left), await volumeOf(on, stays)];
      await keeper.housekeeping.look();
      // As `docker rm -f` by a person, and compose's own scale-down, leave it.
      await on.docker.getContainer(left).remove({ force: true, v: false });
      const foreign = (await on.docker.createVolume({})).name;
      const all = [leftVolume, usedVolume, foreign].map((name) => `volume ${name}`);
      try {
        assert.deepEqual(await keeper.planned(all), []);
        keeper.laterMs = 11 * MINUTE_MS;
        assert.deepEqual(await keeper.planned(all), [`volume ${leftVolume}`]);
        const swept = await keeper.housekeeping.sweep(all);
        assert.deepEqual(
          swept.map(({ key, service, problem }) => ({ key, service, problem })),
          [{ key: `volume ${leftVolume}`, service: `${on.name}_web`, problem: undefined }],
        );
        assert.equal(typeof swept[0]?.bytes, "number");
        assert.deepEqual(await existing(on, [leftVolume, usedVolume, foreign]), [usedVolume, foreign]);
      } finally {
        await on.docker.getVolume(foreign).remove();
      }
    });

    test("removes half-made replicas and those of a project that is gone; what compose or a person made stays", async () => {
      await using on = await DockerProject.open(lab, "orphans");
      on.define({ web: {} });
      await on.createNetworks();
      await using keeper = await Keeper.open(lab, on);
      const [runs, half] = [await keeper.make(1), await keeper.make(2, false)];
      on.write(
        "compose.yaml",
        `services: { other: { image: "${LAB_IMAGE}", command: sleep 1000, stop_grace_period: 0s } }\n`,
      );
      await on.compose("up", "-d");
      const theirs = await on.createAndStart("web", 4);
      const all = (await on.containers()).map(({ Id }) => `replica ${Id}`);
      assert.equal(all.length, 4);

      assert.deepEqual(await keeper.planned(all), []);
      keeper.laterMs = 11 * MINUTE_MS;
      assert.deepEqual(await keeper.planned(all), [`replica ${half}`]);
      keeper.isManaged = false;
      assert.deepEqual(
        (await keeper.planned(all)).toSorted(),
        [`replica ${half}`, `replica ${runs}`].toSorted(),
      );
      await keeper.housekeeping.sweep(all);
      const left = await on.containers();
      assert.equal(left.length, 2);
      assert.ok(left.every(({ State }) => State === "running"));
      assert.ok(left.some(({ Id }) => Id === theirs));
    });

    test("removes the image that lost its tag, once nobody uses it; tagged and foreign ones stay", async () => {
      await using on = await DockerProject.open(lab, "images");
      const repo = on.name;
      const base = await on.docker.createContainer({ Image: LAB_IMAGE, Cmd: ["true"] });
      const commit = async (comment: string, tag?: string): Promise<string> => {
        const { Id } = await base.commit({ comment, ...(tag === undefined ? {} : { repo, tag }) });
        return Id;
      };
      const made: string[] = [];
      try {
        on.define({ web: { image: `${repo}:1` } });
        await on.createNetworks();
        await using keeper = await Keeper.open(lab, on);
        const replicas: ReplicaId[] = [];
        for (const slot of [1, 2]) {
          made.push(await commit(`version ${slot}`, "1"));
          replicas.push(await keeper.make(slot));
        }
        await keeper.housekeeping.look();
        made.push(await commit("the newest", "1"), await commit("foreign"));
        const all = made.map((id) => `image ${id}`);
        const [first = "", second = ""] = made;
        keeper.laterMs = 11 * MINUTE_MS;
        assert.deepEqual(await keeper.planned(all), []);

        for (const id of replicas) await on.docker.getContainer(id).remove({ force: true, v: true });
        keeper.laterMs += 11 * MINUTE_MS;
        assert.deepEqual(
          (await keeper.planned(all)).toSorted(),
          [`image ${first}`, `image ${second}`].toSorted(),
        );
        // Between the plan and the yes somebody tags one.
        const inventory = await keeper.engine.inventory(AbortSignal.timeout(60_000));
        const tagged = inventory.find(({ id }) => id === second) ?? assert.fail("it was found before");
        await on.docker.getImage(second).tag({ repo, tag: "kept" });
        await assert.rejects(
          keeper.engine.discard(tagged, AbortSignal.timeout(60_000)),
          new RegExp(`stays: it has the tag ${repo}:kept by now`),
        );
        const swept = await keeper.housekeeping.sweep(all);
        assert.deepEqual(
          swept.map(({ key, problem }) => ({ key, problem })),
          [{ key: `image ${first}`, problem: undefined }],
        );
        assert.deepEqual(await Promise.all(made.map((id) => imageExists(on, id))), [false, true, true, true]);
      } finally {
        await base.remove({ force: true });
        for (const { Id } of await on.containers()) await on.docker.getContainer(Id).remove({ force: true });
        for (const id of made)
          if (await imageExists(on, id)) await on.docker.getImage(id).remove({ force: true });
      }
    });

    test("an item that is used again by the time it is to go stays, and says so", async () => {
      await using on = await DockerProject.open(lab, "again");
      on.define({ web: {} });
      await on.createNetworks();
      await using keeper = await Keeper.open(lab, on);
      const half = await keeper.make(1, false);
      const found = (await keeper.engine.inventory(AbortSignal.timeout(60_000))).find(
        ({ id }) => id === half,
      );
      assert.ok(found);
      await on.docker.getContainer(half).start();
      const signal = AbortSignal.timeout(60_000);
      await assert.rejects(keeper.engine.discard(found, signal), /stays: it was started by now/);
      await assert.rejects(
        keeper.engine.discard({ ...found, owner: "other" }, signal),
        /stays: it is not ours/,
      );
      assert.equal((await on.containers()).length, 1);
    });
  });
}

async function volumeOf(on: DockerProject, id: ReplicaId): Promise<string> {
  const { Mounts } = await on.docker.getContainer(id).inspect();
  return Mounts[0]?.Name ?? assert.fail("the replica has no volume");
}

async function existing(on: DockerProject, names: readonly string[]): Promise<string[]> {
  const { Volumes } = await on.docker.listVolumes();
  return names.filter((name) => Volumes.some((volume) => volume.Name === name));
}

async function imageExists(on: DockerProject, id: string): Promise<boolean> {
  return on.docker
    .getImage(id)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}
