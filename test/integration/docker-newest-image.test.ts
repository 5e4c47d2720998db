import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import { Orchestrator } from "../../orchestrator/orchestrator.ts";
import { labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually } from "../orchestrator/real-engine.ts";
import { DockerProject } from "./docker-project.ts";
import { tinyRegistry } from "./tiny-registry.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("the newest image on a Docker Engine", { skip }, () => {});

const QUICK = { monitorMs: 200 };

for (const lab of engines) {
  describe(`the newest image on Docker ${lab.version}`, () => {
    test("is pulled each time, rolled out when it is another one, and left for the one before", async (t) => {
      const docker = await DockerProject.open(lab, "newest");
      const registry = await tinyRegistry();
      const store = new Store(docker.directory);
      let pulls = 0;
      const orchestrator = new Orchestrator({
        engine: docker.engine,
        store,
        clock: systemClock,
        log: createLog("silent"),
        onObserved: () => undefined,
        onAction: ({ action, outcome }) => {
          if (action.kind === "pull-image" && outcome === "done") pulls += 1;
        },
      });
      const imagesSeen = new Set<string>();
      t.after(async () => {
        await orchestrator[Symbol.asyncDispose]();
        store[Symbol.dispose]();
        await docker[Symbol.asyncDispose]();
        for (const id of imagesSeen) await docker.docker.getImage(id).remove({ force: true });
        await registry[Symbol.asyncDispose]();
      });
      orchestrator.start();

      const image = `${registry.host}/shop/tiny`;
      const command = ["/busybox", "sleep", "1000"];
      docker.define({ web: { image, command, container: { pullPolicy: "always" } } });
      const services = docker.project.services.map((one) => ({
        ...one,
        updates: { update: QUICK, rollback: QUICK },
      }));
      const id = `${docker.name}_web`;
      const up = () => orchestrator.applyProject({ ...docker.project, services });
      const done = (revision: number) =>
        eventually(`revision ${revision} is done`, () =>
          orchestrator.rollouts.some((one) => one.state === "done" && one.revision === revision),
        );
      const only = () =>
        eventually("one runs", () => {
          const [one, ...others] = orchestrator.replicasOf(id);
          if (one?.state !== "running" || others.length > 0) return undefined;
          if (one.imageId !== undefined) imagesSeen.add(one.imageId);
          return one;
        });

      await up();
      await done(1);
      const first = await only();
      assert.equal(pulls, 1);

      await up();
      await eventually("it is pulled again", () => pulls === 2);
      const plan = await orchestrator.planProject({ ...docker.project, services });
      assert.deepEqual(
        plan.actions.map(({ kind }) => kind),
        ["pull-image"],
        "the image is the same, and nothing else would be done",
      );
      assert.equal((await only()).id, first.id);

      registry.renew();
      await up();
      await done(2);
      const second = await only();
      assert.equal(pulls, 3);
      assert.notEqual(second.imageId, first.imageId);

      orchestrator.rollback(id);
      await eventually("it is gone back", () =>
        orchestrator.rollouts.some(({ state }) => state === "rolled back"),
      );
      assert.equal((await only()).imageId, first.imageId);
    });
  });
}
