import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { isFlyballError } from "../../core/errors.ts";
import type { LoadOptions } from "../../orchestrator/compose/load.ts";
import { loadProject } from "../../orchestrator/compose/load.ts";
import { projectOf } from "../../orchestrator/compose/services.ts";
import { readProjectRequest, toRequestModel } from "../../orchestrator/project-request.ts";
import { CASES, FIXTURES } from "./compose/fixtures.ts";

/** What the files say, read here and read by a daemon that was sent the model as JSON. */
async function bothWays(options: LoadOptions) {
  const { project: compose, source } = await loadProject(options);
  const from = { workingDirectory: source.projectDirectory, composeFiles: [...source.files] };
  const sent = JSON.parse(JSON.stringify({ compose: toRequestModel(compose), ...from }));
  const here = projectOf(compose, from);
  const there = await readProjectRequest(compose.name, sent);
  return { here, there };
}

function fixtureOptions(name: string): LoadOptions {
  const directory = join(FIXTURES, name);
  let options: Partial<LoadOptions> = {};
  try {
    options = JSON.parse(readFileSync(join(directory, "options.json"), "utf8"));
  } catch (error) {
    assert.ok(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
  const { environment = {}, ...rest } = options;
  return { ...rest, environment: { HOME: "/home/someone", ...environment }, workingDirectory: directory };
}

describe("a project that is sent to a daemon is the one that was read", () => {
  assert.ok(CASES.length >= 15);
  for (const name of CASES) {
    test(name, async () => {
      const { here, there } = await bothWays(fixtureOptions(name));
      assert.deepEqual(there.project, here.project);
      assert.deepEqual(
        there.diagnostics.filter((diagnostic) => diagnostic.severity === "error"),
        here.diagnostics.filter((diagnostic) => diagnostic.severity === "error"),
      );
    });
  }
});

describe("the model of a request", () => {
  test("keeps every dollar, in keys as in values", async () => {
    const directory = mkdtempSync(join(tmpdir(), "flyball-request-"));
    try {
      const text = [
        "name: p",
        "services:",
        "  web:",
        "    image: w",
        `    command: ["sh", "-c", "echo $$HOME $\${HOME} $$$$ 5$$"]`,
        '    environment: { A: "$$(date)", B: "$GIVEN" }',
        '    labels: { "a$$b": "c$$d" }',
      ].join("\n");
      writeFileSync(join(directory, "compose.yaml"), text);
      const { here, there } = await bothWays({
        environment: { GIVEN: `a$b\${c}`, HOME: "/never" },
        workingDirectory: directory,
      });
      assert.deepEqual(there.project, here.project);
      const web = there.project.services[0]?.template;
      assert.deepEqual(web?.command, ["sh", "-c", `echo $HOME \${HOME} $$ 5$`]);
      assert.deepEqual(web?.environment, { A: "$(date)", B: `a$b\${c}` });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("is checked as a file is: what is wrong is named, and nothing of the daemon's own environment enters", async () => {
    const request = (compose: Record<string, unknown>) =>
      readProjectRequest("shop", { compose, workingDirectory: "/srv", composeFiles: [] });
    const isInvalid = (error: unknown) =>
      isFlyballError(error) &&
      error.code === "COMPOSE_INVALID" &&
      error.problems.some(({ at }) => at.includes("services.web"));
    await assert.rejects(request({ services: { web: { image: 7, colour: "red" } } }), isInvalid);
    process.env["FLYBALL_TEST_SECRET"] = "the daemon's own";
    try {
      const { project } = await request({
        services: {
          web: {
            image: "w",
            environment: { FLYBALL_TEST_SECRET: null },
            command: ["$FLYBALL_TEST_SECRET"],
          },
        },
      });
      assert.doesNotMatch(JSON.stringify(project), /the daemon's own/);
    } finally {
      delete process.env["FLYBALL_TEST_SECRET"];
    }
  });

  test("may be what docker compose config prints, though it would not read that again itself", async () => {
    const { project } = await readProjectRequest("shop", {
      compose: {
        services: {
          web: {
            image: "w",
            memswap_limit: "-1",
            mem_limit: "67108864",
            blkio_config: { weight_device: [{ Path: "/dev/null", Weight: 300 }] },
            depends_on: {
              debug: { condition: "service_started", required: false },
              db: { condition: "service_started", required: false },
            },
          },
          db: { image: "d" },
        },
      },
      workingDirectory: "/srv",
      composeFiles: [],
    });
    const web = project.services.find(({ name }) => name === "web");
    assert.equal(web?.template.container.memorySwapBytes, -1);
    assert.deepEqual(
      web?.dependsOn.map(({ service }) => service),
      ["shop_db"],
    );
  });

  test("names a dependency that is needed and is not there", async () => {
    const compose = {
      services: {
        web: { image: "w", depends_on: { db: { condition: "service_started", required: true } } },
      },
    };
    await assert.rejects(
      readProjectRequest("shop", { compose, workingDirectory: "/srv", composeFiles: [] }),
      (error) => isFlyballError(error) && error.problems.some(({ message }) => message.includes('"db"')),
    );
  });

  test("takes its name from the address, not from the model", async () => {
    const { project } = await readProjectRequest("shop", {
      compose: { name: "other", services: { web: { image: "w" } } },
      workingDirectory: "/srv",
      composeFiles: ["/srv/compose.yaml"],
    });
    assert.equal(project.name, "shop");
    assert.equal(project.services[0]?.id, "shop_web");
    assert.deepEqual(project.composeFiles, ["/srv/compose.yaml"]);
  });
});
