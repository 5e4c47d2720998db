import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { loadProject } from "../../orchestrator/compose/load.ts";
import { composeBinary, skipWithoutCompose } from "../lab/engines.ts";
import { DIFFERENCES } from "../orchestrator/compose/differences.ts";
import { CASES, expected, runCompose } from "../orchestrator/compose/fixtures.ts";
import { withFiles } from "../orchestrator/compose/inline.ts";
import { REFUSED } from "../orchestrator/compose/refused.ts";

const skip = skipWithoutCompose();
const binary = composeBinary() ?? "";
const environment = { HOME: "/home/someone" };

/** What docker compose prints for one file, or undefined where it refuses the file. */
async function config(directory: string): Promise<unknown> {
  try {
    const { stdout } = await promisify(execFile)(binary, ["-p", "p", "config", "--format", "json"], {
      cwd: directory,
      env: environment,
    });
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

describe("the recorded results are still what docker compose prints", { skip }, () => {
  for (const name of CASES) {
    test(name, async () => {
      assert.deepEqual(await runCompose(binary, name), expected(name));
    });
  }
});

describe("docker compose refuses what Flyball refuses", { skip }, () => {
  for (const { name, compose } of REFUSED) {
    test(name, async () => {
      assert.equal(await withFiles({ "compose.yaml": compose }, config), undefined);
    });
  }
});

describe("the known differences are real", { skip }, () => {
  for (const { title, example, files, dockerCompose, flyball } of DIFFERENCES) {
    test(title, async () => {
      await withFiles({ ...files, "compose.yaml": example }, async (workingDirectory) => {
        const theirs = await config(workingDirectory);
        assert.equal(theirs !== undefined, dockerCompose === "accepts");
        if (flyball !== "accepts otherwise") return;
        const { project } = await loadProject({ environment, workingDirectory, projectName: "p" });
        assert.notDeepEqual(JSON.parse(JSON.stringify(project)), theirs);
      });
    });
  }
});
