import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { createLog } from "../../core/log.ts";
import { Store } from "../../core/store.ts";
import type { ObservedReplica, Project, Service } from "../../core/types.ts";
import { Orchestrator } from "../../orchestrator/orchestrator.ts";
import type { RolloutView } from "../../orchestrator/rollout/view.ts";
import { LAB_IMAGE, type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { DockerProject } from "./docker-project.ts";
import { eventually } from "./flyball-daemon.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("rollouts on a Docker Engine", { skip }, () => {});

/** Nobody listens there: the engine knows at once that there is no such image to be had. */
const NO_SUCH_IMAGE = "127.0.0.1:1/flyball/none:bad";
const QUICK = { monitorMs: 500 };

/** A service of three on a real engine, with the orchestrator of its own. */
class Rolling {
  readonly docker: DockerProject;
  readonly orchestrator: Orchestrator;
  readonly #id: string;

  private constructor(docker: DockerProject, orchestrator: Orchestrator) {
    this.docker = docker;
    this.orchestrator = orchestrator;
    this.#id = `${docker.name}_web`;
  }

  static async open(t: TestContext, lab: LabEngine): Promise<Rolling> {
    const docker = await DockerProject.open(lab, "rollouts");
    const store = new Store(docker.directory);
    const orchestrator = new Orchestrator({
      engine: docker.engine,
      store,
      clock: systemClock,
      log: createLog("silent"),
      onObserved: () => undefined,
      onAction: () => undefined,
    });
    t.after(async () => {
      await orchestrator[Symbol.asyncDispose]();
      store[Symbol.dispose]();
      await docker[Symbol.asyncDispose]();
    });
    orchestrator.start();
    return new Rolling(docker, orchestrator);
  }

  async up(version: string, template: Partial<Service["template"]> = {}, update = QUICK): Promise<void> {
    this.docker.define({ web: { environment: { VERSION: version }, ...template } });
    const { project } = this.docker;
    const services = project.services.map((one) => ({
      ...one,
      templateHash: version,
      initialReplicas: 3,
      updates: { update, rollback: QUICK },
    }));
    await this.orchestrator.applyProject({ ...project, services } satisfies Project);
  }

  scale(count: number): void {
    this.orchestrator.setReplicas(this.#id, count);
  }

  serving(version: string): readonly ObservedReplica[] {
    return this.orchestrator
      .replicasOf(this.#id)
      .filter(({ state, templateHash }) => state === "running" && templateHash === version);
  }

  async rolloutIs(state: RolloutView["state"], revision: number): Promise<RolloutView> {
    return await eventually(`the rollout to revision ${revision} is ${state}`, () =>
      this.orchestrator.rollouts.find((one) => one.state === state && one.revision === revision),
    );
  }

  /** Waits until all that is there is so many of the version. */
  async settles(version: string, count: number): Promise<void> {
    await eventually(`${count} of ${version} run`, async () => {
      const containers = await this.docker.containers();
      return this.serving(version).length === count && containers.length === count;
    });
  }
}

for (const lab of engines) {
  describe(`rollouts on Docker ${lab.version}`, { concurrency: 3 }, () => {
    test("a changed definition comes beside the old one, which serves until then", async (t) => {
      const on = await Rolling.open(t, lab);
      await on.up("v1");
      await on.rolloutIs("done", 1);
      let fewest = 3;
      await on.up("v2");
      await eventually("all are new", () => {
        fewest = Math.min(fewest, on.serving("v1").length + on.serving("v2").length);
        return on.serving("v2").length === 3 && on.serving("v1").length === 0;
      });
      assert.equal(fewest, 3);
      await on.rolloutIs("done", 2);
      await on.settles("v2", 3);
    });

    test("a new replica that somebody kills says nothing about the new version", async (t) => {
      const on = await Rolling.open(t, lab);
      await on.up("v1");
      await on.rolloutIs("done", 1);
      await on.up("v2", {}, { monitorMs: 2_000 });
      const victim = await eventually("the first of the new ones runs", () => on.serving("v2")[0]?.id);
      await on.docker.docker.getContainer(victim).kill();
      await on.rolloutIs("done", 2);
      await on.settles("v2", 3);
    });

    for (const [what, bad] of [
      ["an image that is nowhere", { image: NO_SUCH_IMAGE }],
      ["a command that is not in the image", { command: ["no-such-command"] }],
      ["a program that ends", { command: ["sh", "-c", "sleep 0.3; exit 7"] }],
      [
        "a program that ends and that the engine starts again",
        {
          command: ["sh", "-c", "sleep 0.3; exit 7"],
          restart: { condition: "any", delayMs: 1_000, compose: "always" },
        },
      ],
    ] as const) {
      test(`${what}, while rules scale out: the old version serves throughout, and keeps the new count`, async (t) => {
        const on = await Rolling.open(t, lab);
        await on.up("v1");
        await on.rolloutIs("done", 1);
        let fewest = 3;
        await on.up("v2", { image: LAB_IMAGE, ...bad });
        on.scale(5);
        const rolledBack = await eventually("it is rolled back", () => {
          fewest = Math.min(fewest, on.serving("v1").length);
          return on.orchestrator.rollouts.find(({ state }) => state === "rolled back");
        });
        assert.equal(fewest, 3);
        assert.equal(rolledBack.revision, 1);
        await on.settles("v1", 5);
      });
    }
  });
}
