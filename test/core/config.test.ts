import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { loadConfig } from "../../core/config.ts";
import { FlyballError, type Problem } from "../../core/errors.ts";

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), "flyball-config-"));
});
after(() => rmSync(directory, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(directory, "flyball.yaml");
  writeFileSync(path, text);
  return path;
}

/** What a call that cannot use its configuration says. */
function problemsOf(load: () => unknown): { message: string; problems: readonly Problem[] } {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof FlyballError, `expected a coded error, got ${error}`);
    assert.equal(error.code, "CONFIG_INVALID");
    return { message: error.message, problems: error.problems };
  }
  assert.fail("was accepted");
}

describe("the configuration", () => {
  test("has a default for everything", () => {
    const config = loadConfig({}, { XDG_STATE_HOME: "/state" }, file(""));
    assert.equal(config.dataDirectory, process.getuid?.() === 0 ? "/var/lib/flyball" : "/state/flyball");
    assert.deepEqual(
      { ...config, dataDirectory: "" },
      {
        dataDirectory: "",
        listen: { host: "127.0.0.1", port: 7070 },
        engine: "auto",
        logLevel: "info",
        scaler: { firstRun: "live" },
        overcommit: 1,
        traffic: { http: { host: "127.0.0.1", port: 8080 }, haproxy: "haproxy" },
      },
    );
  });

  test("of an ordinary user stands below their state directory, an empty variable being none", (t) => {
    t.mock.method(process as Required<Pick<NodeJS.Process, "getuid">>, "getuid", () => 1000);
    const path = file("");
    assert.equal(loadConfig({}, { XDG_STATE_HOME: "/state" }, path).dataDirectory, "/state/flyball");
    assert.match(loadConfig({}, { XDG_STATE_HOME: "" }, path).dataDirectory, /\/\.local\/state\/flyball$/);
  });

  test("is read from the file, then the environment, then the flags; the later wins", () => {
    const path = file("dataDirectory: /from/file\nlogLevel: debug\nengine: docker\n");
    const config = loadConfig(
      { logLevel: "error", engine: undefined },
      { FLYBALL_DATA_DIR: "/from/environment", FLYBALL_LOG_LEVEL: "warn" },
      path,
    );
    assert.deepEqual(
      [config.dataDirectory, config.logLevel, config.engine],
      ["/from/environment", "error", "docker"],
    );
  });

  test("is found by FLYBALL_CONFIG, and an empty variable is none", () => {
    assert.equal(loadConfig({}, { FLYBALL_CONFIG: file("engine: process") }).engine, "process");
    assert.equal(
      loadConfig({ engine: "docker" }, { FLYBALL_CONFIG: "", FLYBALL_LISTEN: "" }).engine,
      "docker",
    );
  });

  test("listens on names, IPv4 and IPv6 addresses", () => {
    const path = file("");
    const listen = (text: string) => loadConfig({ listen: text }, {}, path).listen;
    assert.deepEqual(listen("localhost:0"), { host: "localhost", port: 0 });
    assert.deepEqual(listen("0.0.0.0:65535"), { host: "0.0.0.0", port: 65_535 });
    assert.deepEqual(listen("[::1]:7070"), { host: "::1", port: 7070 });
  });
});

describe("remote write", () => {
  test("is off without a URL", () => {
    assert.equal(loadConfig({}, {}, file("")).remoteWrite, undefined);
  });

  test("takes its URL from the file and its token from the environment", () => {
    const path = file("remoteWrite:\n  url: https://metrics.example/api/v1/write\n");
    assert.deepEqual(loadConfig({}, { FLYBALL_REMOTE_WRITE_TOKEN: "sesame" }, path).remoteWrite, {
      url: "https://metrics.example/api/v1/write",
      token: "sesame",
    });
  });

  test("that cannot be used is refused without showing what may be secret in it", () => {
    const path = file("remoteWrite:\n  url: ftp://me:hunter2@metrics.example\n  tokne: hunter2\n");
    const { problems } = problemsOf(() => loadConfig({}, {}, path));
    const lines = problems.map(({ at, message }) => `${at}: ${message}`).sort();
    assert.match(lines[0] ?? "", /remoteWrite\.tokne: is not a setting: did you mean token\?$/);
    assert.match(lines[1] ?? "", /remoteWrite\.url: expected an http or https URL$/);
    assert.doesNotMatch(lines.join(), /hunter2/);
    assert.match(
      problemsOf(() => loadConfig({}, { FLYBALL_REMOTE_WRITE_TOKEN: "hunter2" }, file(""))).problems[0]
        ?.message ?? "",
      /^is of no use without remoteWrite\.url$/,
    );
  });
});

describe("a configuration that cannot be used", () => {
  test("has all its problems listed, each with its place, its expectation and what came", () => {
    const path = file("listen: nowhere\nengin: docker\nlogLevel: 3\n");
    const { problems } = problemsOf(() => loadConfig({}, { FLYBALL_ENGINE: "dokcer" }, path));
    const lines = problems.map(({ at, message }) => `${at}: ${message}`).sort();
    assert.equal(lines.length, 4);
    assert.match(lines[0] ?? "", /flyball\.yaml engin: is not a setting: did you mean engine\?$/);
    assert.match(
      lines[1] ?? "",
      /flyball\.yaml listen: expected host:port, as "127\.0\.0\.1:7070", got "nowhere"$/,
    );
    assert.match(lines[2] ?? "", /flyball\.yaml logLevel: .*expected.*"info".*, got 3$/);
    assert.match(lines[3] ?? "", /^environment FLYBALL_ENGINE: .*expected.*"docker".*, got "dokcer"$/);
  });

  test("because its token is short does not show the token", () => {
    const { problems } = problemsOf(() => loadConfig({ token: "hunter2" }, {}, file("")));
    assert.deepEqual(problems, [{ at: "flags token", message: "expected at least 16 characters" }]);
  });

  for (const listen of ["127.0.0.1", ":7070", "a b:1", "::1:7070", "127.0.0.1:65536", "127.0.0.1:http"]) {
    test(`because it listens on "${listen}" is refused before anything is opened`, () => {
      assert.match(
        problemsOf(() => loadConfig({ listen }, {}, file(""))).problems[0]?.message ?? "",
        /expected host:port/,
      );
    });
  }

  test("because its file is missing names the file", () => {
    const path = join(directory, "none.yaml");
    assert.ok(problemsOf(() => loadConfig({}, {}, path)).message.includes(path));
  });

  const unusable: [string, string][] = [
    ["is a list", "- a\n- b\n"],
    ["is not YAML", "listen: [1, 2\nengine: }"],
    ["names a setting twice", "engine: docker\nengine: process\n"],
    ["refers to an anchor that is not there", "engine: *nowhere\n"],
    ["grows without end when it is expanded", bomb()],
  ];
  for (const [story, text] of unusable) {
    test(`because its file ${story} is a coded error that names the file`, () => {
      const path = file(text);
      const { message, problems } = problemsOf(() => loadConfig({}, {}, path));
      assert.ok([message, ...problems.map(({ at }) => at)].some((line) => line.includes(path)));
    });
  }
});

/** Ten levels of ten references each. */
function bomb(): string {
  const levels = Array.from({ length: 10 }, (_, level) => {
    const below = level === 0 ? "x" : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array.from({ length: 10 }, () => below).join(", ")}]`;
  });
  return levels.join("\n");
}
