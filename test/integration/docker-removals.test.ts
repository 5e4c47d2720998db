import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { runCommand } from "../lab/command.ts";
import { type LabEngine, labEngines, skipWithoutEngine } from "../lab/engines.ts";
import { eventually } from "../orchestrator/real-engine.ts";
import { DockerProject } from "./docker-project.ts";

const engines = await labEngines();
const skip = skipWithoutEngine(engines);
if (skip !== false) test("removals on a Docker Engine", { skip }, () => {});

/** A file that not even the engine can delete, until it is let go. */
async function chattr(change: "+i" | "-i", path: string): Promise<boolean> {
  return (await runCommand("chattr", [change, path])).exitCode === 0;
}

async function finishes(t: TestContext, lab: LabEngine): Promise<void> {
  await using docker = await DockerProject.open(lab, "removals");
  docker.define({
    web: {
      command: ["sh", "-c", "touch /stuck; sleep 1000"],
      mounts: [{ type: "volume", target: "/data", readOnly: false }],
    },
  });
  await docker.createNetworks();
  const id = await docker.createAndStart("web", 1);
  const { Mounts, GraphDriver } = await docker.docker.getContainer(id).inspect();
  const volume = Mounts[0]?.Name;
  const upper = new Map<string, unknown>(Object.entries(GraphDriver.Data)).get("UpperDir");
  assert.ok(volume !== undefined && typeof upper === "string");
  const stuck = join(upper, "stuck");
  await eventually("the file is there", () => existsSync(stuck));
  if (!(await chattr("+i", stuck))) {
    t.skip("needs immutable files, in the file system under the engine");
    return;
  }
  const words = { service: `${docker.name}_web`, slot: 1, replica: id };
  try {
    await docker.do({ kind: "stop-replica", ...words });
    await assert.rejects(docker.do({ kind: "remove-replica", ...words }), /operation not permitted/i);
    assert.deepEqual(
      (await docker.replicas()).map(({ state }) => state),
      ["stopping"],
    );
  } finally {
    await chattr("-i", stuck);
  }
  await eventually("it is gone", async () => (await docker.replicas()).length === 0);
  await assert.rejects(docker.docker.getVolume(volume).inspect(), /no such volume/);
}

for (const lab of engines) {
  describe(`a removal that Docker ${lab.version} leaves half done`, () => {
    test("is finished as soon as the engine can, with the anonymous volume", (t) => finishes(t, lab));
  });
}
