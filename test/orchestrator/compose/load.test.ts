import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { isFlyballError } from "../../../core/errors.ts";
import { loadProject } from "../../../orchestrator/compose/load.ts";
import { loadFiles, loadText, problemsOf, withFiles } from "./inline.ts";

const WEB = "services: {web: {image: web}}\n";

describe("finding the compose file", () => {
  test("the nearest directory above that has one is the project's", async () => {
    await withFiles({ "compose.yaml": WEB }, async (directory) => {
      const workingDirectory = join(directory, "a", "b");
      await mkdir(workingDirectory, { recursive: true });
      const { source } = await loadProject({ environment: {}, workingDirectory, projectName: "p" });
      assert.deepEqual(source.files, [join(directory, "compose.yaml")]);
      assert.equal(source.projectDirectory, directory);
    });
  });

  test("of several names the preferred one is read, and the others are named in a warning", async () => {
    const outcome = await loadFiles({
      "docker-compose.yml": "services: {old: {image: old}}",
      "compose.yml": WEB,
    });
    assert.ok("loaded" in outcome);
    assert.deepEqual(Object.keys(outcome.loaded.project.services), ["web"]);
    assert.deepEqual(
      outcome.warnings.map(({ file, message }) => `${file}: ${message}`),
      ["docker-compose.yml: not read: compose.yml goes before it"],
    );
  });

  test("an .env file beside the first file may name the files to read", async () => {
    const outcome = await loadFiles({
      "compose.yaml": WEB,
      "other.yaml": "services: {other: {image: other}}",
      ".env": "COMPOSE_FILE=other.yaml",
    });
    assert.ok("loaded" in outcome);
    assert.deepEqual(Object.keys(outcome.loaded.project.services), ["other"]);
  });

  test("no file, a missing file and a directory are told apart", async () => {
    const none = await loadFiles({});
    assert.ok("code" in none);
    assert.equal(none.code, "COMPOSE_NOT_FOUND");
    assert.match(
      none.problems[0] ?? "",
      /^expected one of compose\.yaml, compose\.yml, .* or above it, got none$/u,
    );
    const missing = await loadFiles({}, { files: ["nowhere.yaml"] });
    assert.deepEqual(missing, {
      code: "COMPOSE_NOT_FOUND",
      problems: ["expected a file, got nothing: nowhere.yaml"],
    });
    const directory = await loadFiles({}, { files: ["."] });
    assert.deepEqual(directory, {
      code: "COMPOSE_INVALID",
      problems: [".: expected a file, got a directory: ."],
    });
  });

  test("a dash reads standard input", async () => {
    const outcome = await loadFiles({}, { files: ["-"], stdin: Readable.from([WEB]) });
    assert.ok("loaded" in outcome);
    assert.deepEqual(outcome.loaded.source.files, ["-"]);
    assert.equal(outcome.loaded.project.services["web"]?.image, "web");
  });
});

describe("problems", () => {
  test("all of them come at once, each with its place", async () => {
    const outcome = await loadFiles(
      {
        "a.yaml": "services:\n  web:\n    imag: web\n    deploy:\n      replicas: many\n",
        "b.yaml": "services:\n  web:\n    labels: [5]\nvolume: {}\n",
      },
      { files: ["a.yaml", "b.yaml"] },
    );
    assert.deepEqual(outcome, {
      code: "COMPOSE_INVALID",
      problems: [
        'a.yaml:3:5 services.web.imag: unknown key "imag"; did you mean "image"?',
        'a.yaml:5:7 services.web.deploy.replicas: expected a whole number, zero or more, got "many"',
        "b.yaml:3:14 services.web.labels[0]: expected a text, got the number 5",
        'b.yaml:4:1 volume: unknown key "volume"; did you mean "volumes"?',
      ],
    });
  });

  test("what the merged files contradict is told at the file that says it", async () => {
    const outcome = await loadFiles(
      {
        "a.yaml": "services:\n  web:\n    image: web\n    scale: 2\n",
        "b.yaml": "services:\n  web:\n    deploy:\n      replicas: 3\n    depends_on: [db]\n",
      },
      { files: ["a.yaml", "b.yaml"] },
    );
    assert.ok("problems" in outcome);
    assert.deepEqual(outcome.problems, [
      'b.yaml:5:5 services.web.depends_on.db: expected a service of this project, got "db", which is not defined',
      "b.yaml:4:7 services.web.deploy.replicas: expected scale and deploy.replicas to be the same, got 2 and 3",
    ]);
  });

  test("a broken .env file is named with its line", async () => {
    const outcome = await loadFiles({ "compose.yaml": WEB, ".env": "A=1\n\nB C=2\nD='open\n" });
    assert.ok("problems" in outcome);
    assert.deepEqual(outcome.problems, [
      '.env:3: expected a variable\'s name before "=", got "B C"',
      ".env:4: expected a closing ' for the value of D, got none",
    ]);
  });

  test("a file that another one names and that is not there is told at that place", async () => {
    const problems = await problemsOf(`
include: [gone.yaml]
services:
  web:
    image: web
    env_file: gone.env
`);
    assert.deepEqual(problems, ["compose.yaml:2:11 include[0]: expected a file, got nothing: gone.yaml"]);
    assert.deepEqual(await problemsOf("services:\n  web:\n    image: web\n    env_file: gone.env\n"), [
      "compose.yaml:4:5 services.web.env_file: expected a file, got nothing: gone.env",
    ]);
  });

  test("circles of includes and of files that extend each other end", async () => {
    const included = await loadFiles({
      "compose.yaml": `include: [b.yaml]\n${WEB}`,
      "b.yaml": "include: [compose.yaml]\nservices: {b: {image: b}}",
    });
    assert.ok("problems" in included);
    assert.match(included.problems.join(), /got a circle: compose\.yaml -> b\.yaml -> compose\.yaml/u);
    const extended = await loadFiles({
      "compose.yaml": "services: {web: {extends: {file: b.yaml, service: web}}}",
      "b.yaml": "services: {web: {extends: {file: compose.yaml, service: web}}}",
    });
    assert.ok("problems" in extended);
    assert.match(
      extended.problems.join(),
      /got a circle: web in compose\.yaml -> web in b\.yaml -> web in compose/u,
    );
  });

  test("a name that included files define differently is refused", async () => {
    const outcome = await loadFiles({
      "compose.yaml": `include: [b.yaml]\n${WEB}`,
      "b.yaml": "services: {web: {image: other}}",
    });
    assert.ok("problems" in outcome);
    assert.match(outcome.problems.join(), /services\.web: expected a name that no included file defines/u);
  });
});

describe("the place of a value", () => {
  test("is told after loading too, for whoever finds a problem in it later", async () => {
    const outcome = await loadFiles(
      {
        "a.yaml": "services:\n  web:\n    image: web\n    labels:\n      autoscale.max: two\n",
        "b.yaml": "services:\n  web:\n    labels: [autoscale.min=x]\n",
      },
      { files: ["a.yaml", "b.yaml"] },
    );
    assert.ok("loaded" in outcome);
    const { placeOf } = outcome.loaded;
    assert.deepEqual(placeOf(["services", "web", "labels", "autoscale.max"]), {
      path: "services.web.labels.autoscale.max",
      file: "a.yaml",
      line: 5,
      column: 7,
    });
    assert.equal(placeOf(["services", "web", "labels", "autoscale.min"]).file, "b.yaml");
  });
});

describe("warnings", () => {
  test("a variable that is not set is named with its place", async () => {
    const { diagnostics } = await loadText('services:\n  web:\n    image: "web:$TAG"\n');
    assert.deepEqual(diagnostics, [
      {
        severity: "warning",
        path: "services.web.image",
        message: "the variable TAG is not set; an empty text takes its place",
        file: "compose.yaml",
        line: 3,
        column: 5,
      },
    ]);
  });

  test("keys that are not acted upon are named, and the rest of the file is used", async () => {
    const { project, diagnostics } = await loadText(`
version: "3.8"
services:
  web:
    build: .
    develop: {watch: []}
    post_start: [{command: ./warm-up}]
`);
    assert.deepEqual(Object.keys(project.services), ["web"]);
    assert.deepEqual(
      diagnostics.map(({ path }) => path),
      ["version", "services.web.build", "services.web.develop", "services.web.post_start"],
    );
  });

  test("what follows a shell operator in a command is named, since no shell runs it", async () => {
    const { project, diagnostics } = await loadText("services: {web: {image: a, command: echo a && echo b}}");
    assert.deepEqual(project.services["web"]?.command, ["echo", "a"]);
    assert.match(diagnostics[0]?.message ?? "", /"&& echo b" is left out/u);
  });

  test("keys whose loss would change the service are refused by name", async () => {
    for (const key of [
      "gpus: all",
      "credential_spec: {file: x}",
      "volumes_from: [db]",
      "provider: {type: x}",
    ]) {
      const [problem] = await problemsOf(`services: {web: {image: a, ${key}}}`);
      assert.match(problem ?? "", /services\.web\.\w+: "\w+" is not supported: /u);
    }
  });
});

describe("files that would cost too much", () => {
  const levels = (text: string) =>
    Array.from({ length: 30 }, (_, index) => text.replaceAll("N", String(index)));

  test("an alias bomb, in lists, mappings or merge keys", async () => {
    for (const line of ["xN: &aN [*aP, *aP]", "xN: &aN {l: *aP, r: *aP}", "xN: &aN {<<: [*aP, *aP]}"]) {
      const bomb = levels(line).map((text, index) => text.replaceAll("aP", `a${index - 1}`));
      const outcome = await loadFiles({ "compose.yaml": ["x-1: &a-1 {k: v}", ...bomb, WEB].join("\n") });
      assert.ok("code" in outcome);
      assert.equal(outcome.code, "COMPOSE_TOO_LARGE");
      assert.match(outcome.problems[0] ?? "", /^compose\.yaml:\d+:\d+ .*expected at most 200000 values/u);
    }
  });

  test("a file of 10 MB", async () => {
    const outcome = await loadFiles({ "compose.yaml": `${WEB}#${"x".repeat(10_000_000)}` });
    assert.ok("code" in outcome);
    assert.equal(outcome.code, "COMPOSE_TOO_LARGE");
    assert.match(
      outcome.problems[0] ?? "",
      /^expected a file of at most 5242880 bytes, got 10000031 or more/u,
    );
  });

  test("nesting without end", async () => {
    const deep = [
      `a: ${"[".repeat(1e6)}`,
      `a: ${"{a: ".repeat(1e5)}`,
      `${"- ".repeat(1e5)}x`,
      Array.from({ length: 2000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    ];
    for (const text of deep) {
      const outcome = await loadFiles({ "compose.yaml": text });
      assert.ok("code" in outcome);
      assert.equal(outcome.code, "COMPOSE_TOO_LARGE");
      assert.match(outcome.problems[0] ?? "", /expected at most 100 levels of nesting/u);
    }
  });

  test("variables that double each other", async () => {
    const lines = levels(`V${"N"}=$P$P`).map((line, index) => line.replaceAll("$P", `$V${index - 1}`));
    const outcome = await loadFiles({
      "compose.yaml": WEB,
      ".env": ["V0=xxxxxxxx", ...lines.slice(1)].join("\n"),
    });
    assert.ok("problems" in outcome);
    assert.match(outcome.problems[0] ?? "", /expected a text of at most 1048576 characters/u);
  });
});

describe("odd bytes and names", () => {
  test("NUL bytes and other encodings are refused with the place", async () => {
    assert.deepEqual(await problemsOf("services:\n  web: {image: a\0b}\n"), [
      "compose.yaml:2:17: expected text, got a NUL byte",
    ]);
    assert.deepEqual(await problemsOf('services:\n  web: {image: "a\\0b"}\n'), [
      "compose.yaml:2:16 services.web.image: expected text, got a NUL byte",
    ]);
    const latin = await loadFiles({ "compose.yaml": Uint8Array.from([0x61, 0x3a, 0xe9]) });
    assert.deepEqual(latin, {
      code: "COMPOSE_INVALID",
      problems: ["compose.yaml: expected UTF-8 text, got other bytes: compose.yaml"],
    });
  });

  test("names of an object's own machinery are names like any other", async () => {
    const { project } = await loadText(`
services:
  constructor: {image: a, depends_on: [toString], labels: {constructor: x}}
  toString: {extends: constructor, depends_on: !reset [], image: b}
`);
    assert.deepEqual(Object.keys(project.services), ["constructor", "toString"]);
    assert.deepEqual(project.services["constructor"]?.labels, { constructor: "x" });
    assert.match(
      (await problemsOf("services: {web: {image: a, toString: x}}")).join(),
      /unknown key "toString"/u,
    );
    assert.match(
      (await problemsOf("services: {web: {image: a, labels: {__proto__: x}}}")).join(),
      /cannot be a key/u,
    );
  });

  test("a project's name comes from -p, the variable, the file or the directory, in this order", async () => {
    const named = { "compose.yaml": `name: Written\n${WEB}`, ".env": "COMPOSE_PROJECT_NAME=variable" };
    await withFiles(named, async (workingDirectory) => {
      const name = async (options: { projectName?: string }) =>
        (await loadProject({ environment: {}, workingDirectory, ...options })).project.name;
      assert.equal(await name({ projectName: "chosen" }), "chosen");
      assert.equal(await name({}), "variable");
      await writeFile(join(workingDirectory, ".env"), "");
      assert.equal(await name({}), "written");
      await assert.rejects(name({ projectName: "Not A Name" }), (error) => isFlyballError(error));
    });
  });
});
